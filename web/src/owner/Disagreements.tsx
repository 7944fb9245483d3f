import { useState } from "preact/hooks";
import type { Session } from "../api";
import { Button } from "../components/Button";
import { Switch } from "../components/Field";
import { toast } from "../components/Toast";
import { camps, describe, formName, preferred, remarks } from "../desk/describe";
import { percent, plural } from "../desk/format";
import { Head } from "../desk/Frame";
import { asFault, useKept, useLoaded } from "../desk/load";
import { Badge, Empty, Panel, Shown } from "../desk/parts";
import { Items, Prompt } from "./Items";
import { owner } from "./requests";
import type { Disagreement } from "./types";

function Votes({ entry }: { entry: Disagreement }) {
  const sides = camps(entry.question, entry.answers);
  const total = entry.answers.length || 1;
  return (
    <div>
      <div class="votes" aria-hidden="true">{sides.map((side, index) => <i key={side.choice} class={`camp-${Math.min(index, 3)}`} style={{ flexGrow: side.annotators.length / total }} />)}</div>
      <ul class="camps small">
        {sides.map((side, index) => (
          <li key={side.choice}><span class={`dot camp-${Math.min(index, 3)}`} aria-hidden="true" /><strong>{side.choice}</strong> {plural(side.annotators.length, "vote")} <span class="soft">({percent(side.annotators.length / total)})</span></li>
        ))}
      </ul>
    </div>
  );
}

function WhoSaidWhat({ entry }: { entry: Disagreement }) {
  return (
    <details>
      <summary class="small">Who said what</summary>
      <ul class="said">
        {entry.answers.map(({ annotator, answer }) => (
          <li key={annotator}>
            <strong>{annotator}</strong> <span>{describe(answer.said, entry.question)}</span>
            {remarks(answer).map((remark) => <Badge key={remark}>{remark}</Badge>)}
            {answer.comment && <p class="prose soft">{answer.comment}</p>}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Entry({ entry, diff, viewer }: { entry: Disagreement; diff: boolean; viewer: boolean }) {
  const [asked, setAsked] = useState(false);
  const voters = entry.question.items.map((_, index) => entry.answers.filter(({ answer }) => preferred(answer.said) === index).map(({ annotator }) => annotator));
  const again = async () => {
    try {
      await owner.requeue({ question: entry.question.id, answers: entry.answers.length + 1, reason: "split vote" });
      setAsked(true);
      toast("One more person will be asked");
    } catch (fault) {
      toast(asFault(fault).message, { tone: "bad" });
    }
  };
  return (
    <li class="panel entry">
      <div class="entry-head"><Badge>{formName(entry.question)}</Badge>{!viewer && <Button onClick={again} disabled={asked}>{asked ? "Asked" : "Ask one more"}</Button>}</div>
      <Prompt question={entry.question} />
      <Items question={entry.question} diff={diff} voters={entry.question.items.length > 1 ? voters : undefined} />
      <Votes entry={entry} />
      <WhoSaidWhat entry={entry} />
    </li>
  );
}

/// Questions that people answered differently. Where many of them are alike, the guideline is silent or unclear.
export function Disagreements({ session }: { session: Session }) {
  const [limit, setLimit] = useState(10);
  const [diff, setDiff] = useKept("owner.diff", false);
  const found = useLoaded(async (signal) => (await owner.disagreements(limit, signal)).entries, [limit]);
  return (
    <>
      <Head title="Disagreements" lead="The most even votes first. Where many are alike, the guideline is unclear.">
        <Switch label="Mark differences" checked={diff} onChange={setDiff} />
      </Head>
      <Shown from={found}>
        {(entries) => entries.length === 0
          ? <Panel><Empty title="No split votes">Questions answered by more than one person show up here when they disagree.</Empty></Panel>
          : (
            <>
              <ul class="entries">{entries.map((entry) => <Entry key={entry.question.id} entry={entry} diff={diff} viewer={session.role === "viewer"} />)}</ul>
              {entries.length >= limit && <div class="centred"><Button onClick={() => setLimit(limit + 10)}>Show more</Button></div>}
            </>
          )}
      </Shown>
    </>
  );
}
