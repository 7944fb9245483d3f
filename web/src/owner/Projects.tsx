import type { Session } from "../api";
import { count } from "../desk/format";
import { Head } from "../desk/Frame";
import { useLoaded } from "../desk/load";
import { Badge, Panel, Scroll, Shown } from "../desk/parts";
import { owner } from "./requests";

/// Projects that share this store. They see nothing of each other; a server shows one.
export function Projects({ session }: { session: Session }) {
  const projects = useLoaded(async (signal) => (await owner.overview(signal)).projects.map((each) => (typeof each === "string" ? { name: each } : each)));
  return (
    <>
      <Head title="Projects" lead="Projects in one store share the file and nothing else. This server shows one of them." />
      <Shown from={projects}>
        {(list) => (
          <Panel flush>
            <Scroll label="Projects">
              <table class="table">
                <thead><tr><th scope="col">Project</th><th scope="col" class="num">Questions</th><th scope="col" class="num">Open</th><th scope="col" class="num">Answers</th><th scope="col"><span class="unseen">State</span></th></tr></thead>
                <tbody>
                  {list.map((each) => (
                    <tr key={each.name}>
                      <th scope="row">{each.name}</th>
                      <td class="num">{count(each.questions)}</td><td class="num">{count(each.open)}</td><td class="num">{count(each.answers)}</td>
                      <td class="num">{each.name === session.project && <Badge tone="accent">Shown here</Badge>}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          </Panel>
        )}
      </Shown>
      <Panel title="Another project">
        <p class="soft">Start a server for it; a name that is new makes a new project.</p>
        <pre class="example small">rlhf collect --store feedback.db --project NAME</pre>
      </Panel>
    </>
  );
}
