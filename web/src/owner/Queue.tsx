import { useState } from "preact/hooks";
import type { Session } from "../api";
import { Button } from "../components/Button";
import { Choice, Field } from "../components/Field";
import { toast } from "../components/Toast";
import { measured, plural, shorten } from "../desk/format";
import { Head } from "../desk/Frame";
import { asFault, useLoaded } from "../desk/load";
import { Badge, Empty, Fault, Panel, Scroll, Shown, type Tone } from "../desk/parts";
import { AddQuestions } from "./AddQuestions";
import { ChangeQuestions } from "./ChangeQuestions";
import { owner } from "./requests";
import type { QueueEntry, QueueState } from "./types";

const states: { value: QueueState | "all"; label: string }[] = [
  { value: "all", label: "All" }, { value: "open", label: "Open" }, { value: "leased", label: "With somebody" },
  { value: "done", label: "Done" }, { value: "flagged", label: "Flagged" },
];
const tones: Record<QueueState, Tone> = { open: "accent", leased: "warn", done: "good", flagged: "bad", withdrawn: "plain" };
const names: Record<QueueState, string> = { open: "Open", leased: "With somebody", done: "Done", flagged: "Flagged", withdrawn: "Withdrawn" };
const page = 50;

interface RowProps { entry: QueueEntry; picked: boolean; onPick: (on: boolean) => void; onOpen: () => void; viewer: boolean }

function Row({ entry, picked, onPick, onOpen, viewer }: RowProps) {
  return (
    <tr>
      <td><input type="checkbox" class="pick" aria-label={`Select ${shorten(entry.prompt, 60)}`} checked={picked} disabled={viewer} onChange={(event) => onPick(event.currentTarget.checked)} /></td>
      <th scope="row" class="text"><button type="button" class="link" onClick={onOpen} disabled={viewer}><span class="clamp">{shorten(entry.prompt, 200)}</span></button></th>
      <td class="nowrap">{entry.form}</td>
      <td><Badge tone={tones[entry.state]}>{names[entry.state] ?? entry.state}</Badge></td>
      <td class="num" data-label="Answers">{entry.given} / {entry.wanted}</td>
      <td class="num" data-label="Priority">{measured(entry.priority)}</td>
      <td class="nowrap soft">{entry.split === "heldout" ? "held out" : "train"}</td>
    </tr>
  );
}

/// What is asked next, what is done, what was flagged; priorities, more answers, withdrawal.
export function Queue({ session }: { session: Session }) {
  const [form, setForm] = useState(new URLSearchParams(location.search).get("form") ?? "");
  const [state, setState] = useState<QueueState | "all">("all");
  const [later, setLater] = useState<{ entries: QueueEntry[]; over: boolean }>({ entries: [], over: false });
  const [picked, setPicked] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<"add" | QueueEntry[] | null>(null);
  const filter = { form, state: state === "all" ? undefined : state, limit: page };
  const overview = useLoaded(owner.overview);
  const viewer = session.role === "viewer";
  const first = useLoaded(async (signal) => {
    const found = await owner.queue(filter, signal);
    setLater({ entries: [], over: found.entries.length < page });
    setPicked(new Set());
    return found.entries;
  }, [form, state]);
  const entries = [...(first.value ?? []), ...later.entries];
  const chosen = entries.filter((entry) => picked.has(entry.id));

  const pick = (ids: string[], on: boolean) => setPicked((old) => {
    const next = new Set(old);
    ids.forEach((id) => (on ? next.add(id) : next.delete(id)));
    return next;
  });
  const more = async () => {
    try {
      const found = await owner.queue({ ...filter, before: entries[entries.length - 1]?.id });
      setLater({ entries: [...later.entries, ...found.entries], over: found.entries.length < page });
    } catch (fault) {
      toast(asFault(fault).message, { tone: "bad" });
    }
  };
  const closed = (changed: boolean) => {
    setOpen(null);
    if (changed) first.reload();
  };
  const all = entries.length > 0 && chosen.length === entries.length;

  return (
    <>
      <Head title="Queue" lead="Highest priority is asked first, then the oldest.">
        {!viewer && <Button kind="primary" onClick={() => setOpen("add")}>Add questions</Button>}
      </Head>
      <div class="toolbar">
        <Choice label="State" hide options={states} value={state} onChange={setState} />
        <Field label="Form">
          {(attributes) => (
            <select {...attributes} value={form} onChange={(event) => setForm(event.currentTarget.value)}>
              <option value="">All forms</option>
              {(overview.value?.forms ?? []).map((each) => <option key={each.form}>{each.form}</option>)}
            </select>
          )}
        </Field>
      </div>
      {first.fault && !first.value && <Fault fault={first.fault} again={first.reload} />}
      <Panel flush>
        {chosen.length > 0 && (
          <div class="selection" role="group" aria-label="Selected questions">
            <span>{plural(chosen.length, "question")} selected</span>
            <Button onClick={() => setOpen(chosen)}>Change…</Button>
            <Button kind="quiet" onClick={() => setPicked(new Set())}>Clear</Button>
          </div>
        )}
        <Shown from={{ ...first, fault: null }}>
          {() => (
            <Scroll label="Questions">
              <table class="table rows stack-rows" aria-busy={first.busy}>
                <thead>
                  <tr>
                    <th scope="col"><input type="checkbox" class="pick" aria-label="Select all shown" checked={all} disabled={viewer || !entries.length} onChange={(event) => pick(entries.map((entry) => entry.id), event.currentTarget.checked)} /></th>
                    <th scope="col">Prompt</th><th scope="col">Form</th><th scope="col">State</th><th scope="col" class="num">Answers</th><th scope="col" class="num">Priority</th><th scope="col">Split</th>
                  </tr>
                </thead>
                <tbody>
                  {entries.map((entry) => (
                    <Row key={entry.id} entry={entry} viewer={viewer} picked={picked.has(entry.id)} onPick={(on) => pick([entry.id], on)} onOpen={() => setOpen([entry])} />
                  ))}
                </tbody>
              </table>
              {entries.length === 0 && <Empty title="Nothing here">No question matches the filter.</Empty>}
            </Scroll>
          )}
        </Shown>
        {!later.over && entries.length > 0 && <div class="more"><Button onClick={more}>Show more</Button></div>}
      </Panel>
      {open === "add" && <AddQuestions onClose={closed} />}
      {Array.isArray(open) && <ChangeQuestions entries={open} onClose={closed} />}
    </>
  );
}
