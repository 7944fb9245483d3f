import { useState } from "preact/hooks";
import type { ApiError } from "../api";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { toast } from "../components/Toast";
import { plural } from "../desk/format";
import { asFault } from "../desk/load";
import { Fault } from "../desk/parts";
import { readQuestions, type Checked } from "./jsonl";
import { owner } from "./requests";

const batch = 500; // questions in one request

function Result({ name, checked }: { name: string; checked: Checked }) {
  const shown = checked.faults.slice(0, 5);
  return (
    <div role="status" class="stack">
      <p><strong>{name}</strong>: {plural(checked.questions.length, "question")}{checked.faults.length > 0 && `, ${plural(checked.faults.length, "line")} cannot be used`}</p>
      {shown.length > 0 && (
        <ul class="faults small">
          {shown.map((fault) => <li key={fault.line}>Line {fault.line} {fault.what}</li>)}
          {checked.faults.length > shown.length && <li>and {checked.faults.length - shown.length} more</li>}
        </ul>
      )}
    </div>
  );
}

/// Questions from a JSON Lines file, checked line by line before anything is sent.
export function AddQuestions({ onClose }: { onClose: (changed: boolean) => void }) {
  const [file, setFile] = useState<{ name: string; checked: Checked } | null>(null);
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<number | null>(null);
  const [fault, setFault] = useState<ApiError | null>(null);

  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    setFault(null);
    setFile({ name: chosen.name, checked: readQuestions(await chosen.text()) });
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer?.files[0]);
  };
  const send = async () => {
    const { questions } = file!.checked;
    let added = 0;
    try {
      for (let at = 0; at < questions.length; at += batch) {
        setSent(at);
        added += (await owner.add(questions.slice(at, at + batch))).added;
      }
      toast(`${plural(added, "question")} added${added < questions.length ? `; ${questions.length - added} were there already` : ""}`);
      onClose(true);
    } catch (caught) {
      setFault(asFault(caught));
      setSent(null);
    }
  };
  const ready = file !== null && file.checked.questions.length > 0 && sent === null;

  return (
    <Dialog
      title="Add questions" onClose={() => onClose(false)}
      footer={<><Button onClick={() => onClose(false)}>Cancel</Button>
        <Button kind="primary" disabled={!ready} onClick={send}>{sent === null ? "Add" : `Adding, ${sent} sent`}</Button></>}
    >
      <p class="soft">One JSON object a line, with a <code>prompt</code> and <code>items</code> for the form. A question that is there already is not asked twice.</p>
      <pre class="example small">{`{"form": "pair", "prompt": {"text": "…"}, "items": [{"text": "…"}, {"text": "…"}]}`}</pre>
      <label class="drop" data-over={over} onDragOver={(event) => { event.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)} onDrop={drop}>
        <input type="file" accept=".jsonl,.ndjson,.json,application/x-ndjson" data-first onChange={(event) => void read(event.currentTarget.files?.[0])} />
        <span><strong>Choose a file</strong> or drop it here</span>
      </label>
      {file && <Result {...file} />}
      {fault && <Fault fault={fault} />}
    </Dialog>
  );
}
