import type { Project } from "../api";
import { Dialog } from "../components/Dialog";
import { Markdown } from "../components/Markdown";
import { Tabs } from "../components/Tabs";

export function Guideline({ project, onClose }: { project: Project; onClose: () => void }) {
  const { guideline, examples } = project;
  const text = () => guideline.text
    ? <div class="stack tight"><Markdown text={guideline.text} />{guideline.version && <p class="small soft">Version {guideline.version}</p>}</div>
    : <p class="soft">There is no guideline for this project.</p>;
  const shown = () => examples.map((each, at) => <section key={at} class="card"><h3 dir="auto">{each.title}</h3><Markdown text={each.text} /></section>);
  return (
    <Dialog title="Guideline" side onClose={onClose}>
      {examples.length ? <Tabs label="Guideline and examples" tabs={[{ name: "text", label: "Guideline", body: text }, { name: "examples", label: `Examples (${examples.length})`, body: () => <div class="stack">{shown()}</div> }]} /> : text()}
    </Dialog>
  );
}
