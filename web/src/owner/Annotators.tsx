import { useState } from "preact/hooks";
import type { Session } from "../api";
import { Button } from "../components/Button";
import { ago, count, duration, percent, plural } from "../desk/format";
import { Head } from "../desk/Frame";
import { useEvery, useLoaded } from "../desk/load";
import { Badge, Empty, Panel, Range, Scroll, Shown, type Tone } from "../desk/parts";
import { AddAnnotator } from "./AddAnnotator";
import { AnnotatorCard } from "./AnnotatorCard";
import { owner } from "./requests";
import { estimate, type Annotator, type Said, type Standing } from "./types";

export const standings: Record<Standing, { name: string; tone: Tone }> = {
  active: { name: "Active", tone: "good" }, paused: { name: "Paused", tone: "warn" }, revoked: { name: "Revoked", tone: "bad" },
};

function Share({ said, marks }: { said: Said; marks?: number[] }) {
  const value = estimate(said);
  return (
    <div class="share">
      <span class="figure">{percent(value?.value)}</span>
      {value && <Range estimate={value} marks={marks} />}
    </div>
  );
}

function Row({ annotator, onOpen }: { annotator: Annotator; onOpen: () => void }) {
  const { name, source, standing, answers, quota, warnings } = annotator;
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={onOpen}>{name}</button>
        <div class="tags">
          {source !== "human" && <Badge>{source}</Badge>}
          {standing !== "active" && <Badge tone={standings[standing].tone}>{standings[standing].name}</Badge>}
          {warnings.length > 0 && <Badge tone="warn">{plural(warnings.length, "warning")}</Badge>}
        </div>
      </th>
      <td class="num">{count(answers)}{quota > 0 && <span class="soft"> / {count(quota)}</span>}</td>
      <td class="num">{duration(annotator.median_seconds)}</td>
      <td><Share said={annotator.agreement} /></td>
      <td><Share said={annotator.gold_accuracy} /></td>
      <td><Share said={annotator.reliability} /></td>
      <td><Share said={annotator.left_share} marks={[0.5]} /></td>
      <td><Share said={annotator.longer_share} marks={[0.5]} /></td>
      <td class="nowrap soft">{ago(annotator.last_at, Date.now() / 1000)}</td>
    </tr>
  );
}

const heads = ["Agreement", "Gold", "Reliability", "Chose left", "Chose longer"];

/// Who answers, how well, and what may bias them.
export function Annotators({ session }: { session: Session }) {
  const [open, setOpen] = useState<string | null>(null);
  const [adding, setAdding] = useState(false);
  const annotators = useLoaded(async (signal) => (await owner.annotators(signal)).annotators);
  useEvery(30, annotators.reload);
  const shown = annotators.value?.find((each) => each.name === open);
  const viewer = session.role === "viewer";
  return (
    <>
      <Head title="Annotators" lead="Reliability is what the model of all answers says of one person’s; an even hand chooses left about half the time.">
        {!viewer && <Button kind="primary" onClick={() => setAdding(true)}>Add annotator</Button>}
      </Head>
      <Panel flush>
        <Shown from={annotators}>
          {(list) => (
            <Scroll label="Annotators">
              <table class="table rows people">
                <thead>
                  <tr>
                    <th scope="col">Name</th><th scope="col" class="num">Answers</th><th scope="col" class="num">Median time</th>
                    {heads.map((name) => <th key={name} scope="col">{name}</th>)}<th scope="col">Last answer</th>
                  </tr>
                </thead>
                <tbody>{list.map((annotator) => <Row key={annotator.name} annotator={annotator} onOpen={() => setOpen(annotator.name)} />)}</tbody>
              </table>
              {list.length === 0 && <Empty title="Nobody has answered yet" />}
            </Scroll>
          )}
        </Shown>
      </Panel>
      {shown && <AnnotatorCard annotator={shown} viewer={viewer} onClose={() => setOpen(null)} onChange={annotators.reload} />}
      {adding && <AddAnnotator taken={annotators.value?.map((each) => each.name) ?? []} onClose={() => setAdding(false)} onAdded={annotators.reload} />}
    </>
  );
}
