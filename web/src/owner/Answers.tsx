import { useState } from "preact/hooks";
import type { Session } from "../api";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Field, Switch, TextField } from "../components/Field";
import { toast } from "../components/Toast";
import { describe, formName, preferred, promptText, remarks } from "../desk/describe";
import { duration, moment, shorten } from "../desk/format";
import { Head } from "../desk/Frame";
import { asFault, useKept, useLoaded, useSettled } from "../desk/load";
import { Badge, Empty, Fault, Panel, Scroll, Shown } from "../desk/parts";
import { Items, Prompt } from "./Items";
import { owner } from "./requests";
import type { Found } from "./types";

const page = 50;

function Row({ found, onOpen }: { found: Found; onOpen: () => void }) {
  const { question, answer } = found;
  return (
    <tr>
      <th scope="row" class="text"><button type="button" class="link" onClick={onOpen}><span class="clamp">{shorten(promptText(question), 200) || question.id}</span></button></th>
      <td>{describe(answer.said, question)}<div class="tags">{(answer.flags ?? []).map((flag) => <Badge key={flag} tone="warn">{flag}</Badge>)}</div></td>
      <td class="nowrap">{found.annotator}{found.source !== "human" && <> <Badge>{found.source}</Badge></>}</td>
      <td class="nowrap soft">{formName(question)}</td>
      <td class="num soft">{moment(found.answered_at)}</td>
    </tr>
  );
}

function Detail({ found, onClose }: { found: Found; onClose: () => void }) {
  const [diff, setDiff] = useKept("owner.diff", false);
  const { question, answer } = found;
  return (
    <Dialog title={`Answer ${found.sequence}`} side onClose={onClose}>
      <Prompt question={question} />
      {question.items.length === 2 && <Switch label="Mark differences" checked={diff} onChange={setDiff} />}
      <Items question={question} diff={diff} preferred={preferred(answer.said)} />
      <dl class="definition">
        <dt>Said</dt><dd>{describe(answer.said, question)}</dd>
        {Object.entries(answer.details ?? {}).map(([part, said]) => <><dt>{part}</dt><dd>{describe(said, question)}</dd></>)}
        {answer.comment && <><dt>Comment</dt><dd class="prose">{answer.comment}</dd></>}
        {remarks(answer).length > 0 && <><dt>Marked</dt><dd>{remarks(answer).join(", ")}</dd></>}
        <dt>By</dt><dd>{found.annotator} ({found.source})</dd>
        <dt>When</dt><dd>{moment(found.answered_at)}, after {duration(answer.active_seconds)}</dd>
        <dt>Guideline</dt><dd>{question.guideline || "none"}</dd>
        <dt>Split</dt><dd>{found.split === "heldout" ? "held out" : "train"}</dd>
        <dt>Question</dt><dd><code>{question.id}</code></dd>
      </dl>
      <details><summary class="small">As stored</summary><pre class="example small">{JSON.stringify(answer, null, 2)}</pre></details>
    </Dialog>
  );
}

/// Every answer in the store: search, filter, read.
export function Answers(_: { session: Session }) {
  const [text, setText] = useState("");
  const [annotator, setAnnotator] = useState("");
  const [form, setForm] = useState("");
  const [flagged, setFlagged] = useState(false);
  const [skipped, setSkipped] = useState(false);
  const [later, setLater] = useState<{ entries: Found[]; over: boolean }>({ entries: [], over: false });
  const [open, setOpen] = useState<Found | null>(null);
  const words = useSettled(text);
  const filter = { text: words.trim(), annotator, form, flagged, skipped, limit: page };
  const people = useLoaded(async (signal) => (await owner.annotators(signal)).annotators.map((each) => each.name));
  const forms = useLoaded(async (signal) => (await owner.overview(signal)).forms.map((each) => each.form));
  const first = useLoaded(async (signal) => {
    const { entries } = await owner.search(filter, signal);
    setLater({ entries: [], over: entries.length < page });
    return entries;
  }, [words.trim(), annotator, form, flagged, skipped]);
  const entries = [...(first.value ?? []), ...later.entries];
  const more = async () => {
    try {
      const found = await owner.search({ ...filter, before: entries[entries.length - 1]!.sequence });
      setLater({ entries: [...later.entries, ...found.entries], over: found.entries.length < page });
    } catch (fault) {
      toast(asFault(fault).message, { tone: "bad" });
    }
  };
  const choose = (label: string, value: string, all: string, names: string[], onChange: (value: string) => void) => (
    <Field label={label}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">{all}</option>
          {names.map((name) => <option key={name} value={name}>{name}</option>)}
        </select>
      )}
    </Field>
  );
  return (
    <>
      <Head title="Answers" lead="Everything people, models and simulated labelers said, newest first." />
      <form class="toolbar" role="search" aria-label="Answers" onSubmit={(event) => event.preventDefault()}>
        <div class="grow"><TextField label="Words" type="search" placeholder="In prompts, items and comments" value={text} onInput={(event) => setText(event.currentTarget.value)} /></div>
        {choose("Annotator", annotator, "Everybody", people.value ?? [], setAnnotator)}
        {choose("Form", form, "All forms", forms.value ?? [], setForm)}
        <label class="tick-box"><input type="checkbox" checked={flagged} onChange={(event) => setFlagged(event.currentTarget.checked)} />Flagged</label>
        <label class="tick-box"><input type="checkbox" checked={skipped} onChange={(event) => setSkipped(event.currentTarget.checked)} />Skipped</label>
      </form>
      {first.fault && <Fault fault={first.fault} again={first.reload} />}
      <Panel flush>
        <Shown from={{ ...first, fault: null }}>
          {() => (
            <Scroll label="Answers">
              <table class="table rows stack-rows" aria-busy={first.busy}>
                <thead><tr><th scope="col">Prompt</th><th scope="col">Answer</th><th scope="col">By</th><th scope="col">Form</th><th scope="col" class="num">When</th></tr></thead>
                <tbody>{entries.map((found) => <Row key={found.sequence} found={found} onOpen={() => setOpen(found)} />)}</tbody>
              </table>
              {entries.length === 0 && <Empty title="Nothing found">No answer matches.</Empty>}
            </Scroll>
          )}
        </Shown>
        {!later.over && entries.length > 0 && <div class="more"><Button onClick={more}>Show more</Button></div>}
      </Panel>
      {open && <Detail found={open} onClose={() => setOpen(null)} />}
    </>
  );
}
