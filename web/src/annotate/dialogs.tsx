import { useState } from "preact/hooks";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Field } from "../components/Field";

const reasons = [
  ["cannot judge", "I can’t judge this"],
  ["broken media", "Something is broken"],
  ["both unsafe", "All of it is unsafe"],
  ["upsetting", "I would rather not see this"],
] as const;

/// Why a question is left to somebody else.
export function SkipDialog({ onSkip, onClose }: { onSkip: (reason: string) => void; onClose: () => void }) {
  const [other, setOther] = useState("");
  return (
    <Dialog title="Skip this question" onClose={onClose}>
      <p class="soft">Somebody else may answer it. Why not you?</p>
      <div class="stack tight" onKeyDown={(event) => { const reason = reasons[Number(event.key) - 1]; if (reason && !(event.target as Element).matches("input")) onSkip(reason[0]); }}>
        {reasons.map(([name, label], at) => (
          <Button key={name} data-first={at === 0 || undefined} class="wide" onClick={() => onSkip(name)} aria-keyshortcuts={String(at + 1)}>
            {label}<kbd class="key" aria-hidden="true">{at + 1}</kbd>
          </Button>
        ))}
        <form class="row" onSubmit={(event) => { event.preventDefault(); if (other.trim()) onSkip(other.trim()); }}>
          <input class="input grow" aria-label="Another reason" placeholder="Another reason" value={other} onInput={(event) => setOther(event.currentTarget.value)} />
          <Button type="submit" disabled={!other.trim()}>Skip</Button>
        </form>
      </div>
    </Dialog>
  );
}

const flags = [
  ["unsafe", "Unsafe or upsetting", "It is covered at once"],
  ["personal data", "Personal data", "Names, addresses, numbers of real people"],
  ["broken", "Broken", "Cut off, garbled, wrong language"],
  ["bad question", "The question makes no sense", ""],
] as const;

export function FlagDialog({ chosen, onChange, onClose }: { chosen: string[]; onChange: (flags: string[]) => void; onClose: () => void }) {
  return (
    <Dialog title="Flag a problem" onClose={onClose} footer={<Button kind="primary" onClick={onClose}>Done</Button>}>
      <p class="soft">Flags go with your answer.</p>
      {flags.map(([name, label, help], at) => (
        <label key={name} class="check">
          <input type="checkbox" data-first={at === 0 || undefined} checked={chosen.includes(name)} onChange={(event) => onChange(event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name))} />
          <span><span class="block">{label}</span>{help && <span class="small soft">{help}</span>}</span>
        </label>
      ))}
    </Dialog>
  );
}

/// Who answers: on this machine a name is enough.
export function NameDialog({ name, onName, onClose }: { name: string; onName: (name: string) => void; onClose: () => void }) {
  const [value, setValue] = useState(name);
  return (
    <Dialog title="Who are you?" onClose={onClose}>
      <form class="stack" onSubmit={(event) => { event.preventDefault(); if (value.trim()) onName(value.trim()); }}>
        <Field label="Your name" help="Your answers are kept under it.">
          {(attributes) => <input class="input" data-first {...attributes} value={value} onInput={(event) => setValue(event.currentTarget.value)} />}
        </Field>
        <Button kind="primary" type="submit">Use this name</Button>
      </form>
    </Dialog>
  );
}
