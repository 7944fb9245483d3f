import { useState } from "preact/hooks";
import type { ApiError } from "../api";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Choice, TextField } from "../components/Field";
import { asFault } from "../desk/load";
import { Copy, Fault } from "../desk/parts";
import { oneTimePassword } from "./password";
import { owner } from "./requests";

const roles = [
  { value: "annotator", label: "Annotator", hint: "Answers questions" },
  { value: "viewer", label: "Viewer", hint: "Sees these pages, changes nothing" },
  { value: "owner", label: "Owner", hint: "May do everything" },
];

/// A new account. The password is made here, shown once, and never again.
export function AddAnnotator({ taken, onClose, onAdded }: { taken: string[]; onClose: () => void; onAdded: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState("annotator");
  const [quota, setQuota] = useState(0);
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<ApiError | null>(null);
  const clash = taken.includes(name.trim());
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const fresh = oneTimePassword();
    try {
      await owner.change({ name: name.trim(), standing: "active", quota, role, password: fresh });
      setPassword(fresh);
      onAdded();
    } catch (caught) {
      setFault(asFault(caught));
    }
  };
  if (password) {
    return (
      <Dialog title={`${name.trim()} can log in`} onClose={onClose} footer={<Button kind="primary" onClick={onClose}>Done</Button>}>
        <p>Give this password to {name.trim()}. It is shown once, here, and is to be changed at the first login.</p>
        <p class="secret" aria-label="One-time password">{password}</p>
        <div><Copy text={password} label="Copy the password" /></div>
      </Dialog>
    );
  }
  return (
    <Dialog
      title="Add annotator" onClose={onClose}
      footer={<><Button onClick={onClose}>Cancel</Button><Button kind="primary" type="submit" form="add-annotator" disabled={!name.trim() || clash}>Add</Button></>}
    >
      <form id="add-annotator" class="stack" onSubmit={add}>
        <TextField label="Name" value={name} required maxLength={80} autocomplete="off" data-first fault={clash ? "There is somebody of that name already." : undefined} onInput={(event) => setName(event.currentTarget.value)} />
        <Choice label="Role" options={roles} value={role} onChange={setRole} />
        <TextField label="Quota" help="Answers allowed; 0 is any number." type="number" min="0" step="1" value={quota} onInput={(event) => setQuota(Math.max(0, Math.round(event.currentTarget.valueAsNumber || 0)))} />
      </form>
      {fault && <Fault fault={fault} />}
    </Dialog>
  );
}
