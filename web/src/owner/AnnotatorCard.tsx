import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ApiError } from "../api";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { TextField } from "../components/Field";
import { toast } from "../components/Toast";
import { ago, count, duration, percent, plural } from "../desk/format";
import { asFault } from "../desk/load";
import { Badge, Copy, Estimated, Fault, Range } from "../desk/parts";
import { standings } from "./Annotators";
import { oneTimePassword } from "./password";
import { owner } from "./requests";
import { estimate, type Annotator, type AnnotatorChange, type Said } from "./types";

function Quality({ name, said, marks, children }: { name: string; said: Said; marks?: number[]; children: ComponentChildren }) {
  const value = estimate(said);
  return (
    <div class="quality">
      <div class="quality-head"><span>{name}</span><Estimated estimate={value} show={(each) => percent(each)} /></div>
      <Range estimate={value} marks={marks} />
      <p class="soft small">{children}</p>
    </div>
  );
}

function Facts({ annotator }: { annotator: Annotator }) {
  return (
    <dl class="definition">
      <dt>Answers</dt><dd>{count(annotator.answers)}{annotator.quota > 0 ? ` of ${count(annotator.quota)} allowed` : ""}</dd>
      <dt>Skips</dt><dd>{count(annotator.skips)}</dd>
      <dt>Median time</dt><dd>{duration(annotator.median_seconds)}</dd>
      <dt>Last answer</dt><dd>{ago(annotator.last_at, Date.now() / 1000)}</dd>
      <dt>Passed</dt><dd>{annotator.passed.length ? annotator.passed.join(", ") : "no qualification round"}</dd>
    </dl>
  );
}

/// Erasing cannot be taken back: the name has to be typed.
function Erase({ annotator, onDone, onCancel }: { annotator: Annotator; onDone: () => void; onCancel: () => void }) {
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const [fault, setFault] = useState<ApiError | null>(null);
  const erase = async (event: SubmitEvent) => {
    event.preventDefault();
    try {
      const { events } = await owner.erase(annotator.name, reason.trim());
      toast(`${plural(events, "event")} of ${annotator.name} erased`);
      onDone();
    } catch (caught) {
      setFault(asFault(caught));
    }
  };
  return (
    <form class="danger-zone stack" onSubmit={erase} aria-label="Erase all answers">
      <p><strong>Erase every answer of {annotator.name}?</strong> The rows are removed from the store and their questions are asked again. This cannot be taken back.</p>
      <TextField label={`Type ${annotator.name} to confirm`} value={typed} autocomplete="off" onInput={(event) => setTyped(event.currentTarget.value)} ref={(input) => { input?.focus(); }} />
      <TextField label="Reason" help="Kept in the log." value={reason} onInput={(event) => setReason(event.currentTarget.value)} />
      {fault && <Fault fault={fault} />}
      <div class="row">
        <Button onClick={onCancel}>Keep them</Button>
        <Button kind="danger" type="submit" disabled={typed !== annotator.name || !reason.trim()}>Erase</Button>
      </div>
    </form>
  );
}

/// One annotator: what is known of the answers, and what the owner can do about them.
export function AnnotatorCard({ annotator, viewer, onClose, onChange }: { annotator: Annotator; viewer: boolean; onClose: () => void; onChange: () => void }) {
  const [erasing, setErasing] = useState(false);
  const [quota, setQuota] = useState(annotator.quota);
  const [password, setPassword] = useState("");
  const { name, standing, warnings } = annotator;
  const change = async (what: Omit<AnnotatorChange, "name">, said: string) => {
    try {
      await owner.change({ name, ...what });
      toast(said);
      onChange();
      return true;
    } catch (fault) {
      toast(asFault(fault).message, { tone: "bad" });
      return false;
    }
  };
  const renew = async () => {
    const fresh = oneTimePassword();
    if (await change({ password: fresh }, `New password for ${name}`)) setPassword(fresh);
  };
  return (
    <Dialog title={name} side onClose={onClose}>
      <div class="tags"><Badge tone={standings[standing].tone}>{standings[standing].name}</Badge><Badge>{annotator.source}</Badge></div>
      {warnings.length > 0 && <ul class="warnings">{warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul>}
      <Facts annotator={annotator} />
      <div class="stack">
        <Quality name="Agreement" said={annotator.agreement}>With others, on the same questions.</Quality>
        <Quality name="Gold accuracy" said={annotator.gold_accuracy}>On questions with a known answer.</Quality>
        <Quality name="Reliability" said={annotator.reliability}>Chance that an answer is what the model of all answers calls right.</Quality>
        <Quality name="Chose left" said={annotator.left_share} marks={[0.5]}>The order is shuffled, so far from half is a habit.</Quality>
        <Quality name="Chose longer" said={annotator.longer_share} marks={[0.5]}>Far above half: length may count more than content.</Quality>
      </div>
      {!viewer && !erasing && (
        <>
          <form class="inline-form" onSubmit={(event) => { event.preventDefault(); void change({ quota }, "Quota changed"); }}>
            <TextField label="Quota" help="Answers allowed; 0 is any number." type="number" min="0" step="1" value={quota} onInput={(event) => setQuota(Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0)))} />
            <Button type="submit" disabled={quota === annotator.quota}>Set</Button>
          </form>
          {password && <div role="status" class="stack"><p class="small">Shown once. It stops working when {name} has chosen another.</p><p class="secret">{password}</p><Copy text={password} /></div>}
          <div class="row">
            {standing === "active" && <Button onClick={() => change({ standing: "paused" }, `${name} is paused`)}>Pause</Button>}
            {standing !== "active" && <Button onClick={() => change({ standing: "active" }, `${name} is active`)}>{standing === "paused" ? "Resume" : "Let back in"}</Button>}
            {standing !== "revoked" && <Button onClick={() => change({ standing: "revoked" }, `${name} can no longer answer`)}>Revoke</Button>}
            {annotator.source === "human" && <Button onClick={renew}>New password</Button>}
            <Button kind="danger" onClick={() => setErasing(true)}>Erase…</Button>
          </div>
        </>
      )}
      {erasing && <Erase annotator={annotator} onCancel={() => setErasing(false)} onDone={() => { onChange(); onClose(); }} />}
    </Dialog>
  );
}
