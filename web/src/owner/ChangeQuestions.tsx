import { useState } from "preact/hooks";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Choice, TextField } from "../components/Field";
import { toast } from "../components/Toast";
import { plural } from "../desk/format";
import { asFault } from "../desk/load";
import { Fault } from "../desk/parts";
import type { ApiError } from "../api";
import { owner } from "./requests";
import type { QueueEntry, Requeue } from "./types";

type What = "priority" | "answers" | "withdraw";
const whats: { value: What; label: string }[] = [
  { value: "answers", label: "Ask again" }, { value: "priority", label: "Priority" }, { value: "withdraw", label: "Withdraw" },
];
const explained: Record<What, string> = {
  answers: "More people answer it; the answers given stay.",
  priority: "A greater number is asked first. 0 is usual.",
  withdraw: "It is asked no more. The answers given stay, and it can be asked again later.",
};
const done: Record<What, string> = { answers: "asked again", priority: "changed", withdraw: "withdrawn" };

/// One change for one or more questions. The log keeps the reason.
export function ChangeQuestions({ entries, onClose }: { entries: QueueEntry[]; onClose: (changed: boolean) => void }) {
  const [what, setWhat] = useState<What>("answers");
  const [number, setNumber] = useState(1);
  const [reason, setReason] = useState("");
  const [fault, setFault] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const missing = reason.trim() === "";

  const change = (entry: QueueEntry): Requeue => {
    const base = { question: entry.id, reason: reason.trim() };
    if (what === "withdraw") return { ...base, withdrawn: true };
    if (what === "priority") return { ...base, priority: number };
    return { ...base, withdrawn: false, answers: Math.max(entry.wanted, entry.given) + number };
  };
  const send = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      for (const entry of entries) await owner.requeue(change(entry));
      toast(`${plural(entries.length, "question")} ${done[what]}`);
      onClose(true);
    } catch (caught) {
      setFault(asFault(caught));
      setBusy(false);
    }
  };

  return (
    <Dialog
      title={entries.length === 1 ? "Change the question" : `Change ${plural(entries.length, "question")}`}
      onClose={() => onClose(false)}
      footer={<><Button onClick={() => onClose(false)}>Cancel</Button>
        <Button kind={what === "withdraw" ? "danger" : "primary"} type="submit" form="change" disabled={busy || missing}>{whats.find((each) => each.value === what)!.label}</Button></>}
    >
      {entries.length === 1 && <p class="cited prose">{entries[0]!.prompt}</p>}
      <form id="change" class="stack" onSubmit={send}>
        <Choice label="What" options={whats} value={what} onChange={(next) => { setWhat(next); setNumber(next === "priority" ? entries[0]?.priority ?? 0 : 1); }} />
        <p class="soft small">{explained[what]}</p>
        {what !== "withdraw" && (
          <TextField
            label={what === "priority" ? "Priority" : "More answers"} type="number" step={what === "priority" ? "any" : 1} min={what === "priority" ? undefined : 1}
            value={number} required onInput={(event) => setNumber(event.currentTarget.valueAsNumber || 0)}
          />
        )}
        <TextField label="Reason" help="Kept in the log." value={reason} required data-first onInput={(event) => setReason(event.currentTarget.value)} />
      </form>
      {fault && <Fault fault={fault} />}
    </Dialog>
  );
}
