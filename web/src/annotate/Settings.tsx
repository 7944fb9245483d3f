import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Choice, Switch } from "../components/Field";
import { change, useSettings } from "../settings";

export function SettingsDialog({ name, onName, onClose }: { name: string; onName?: () => void; onClose: () => void }) {
  const now = useSettings();
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div class="row"><span class="grow">You are <strong dir="auto">{name}</strong></span>{onName && <Button onClick={onName}>Change</Button>}</div>
      <Choice label="Colours" value={now.theme} onChange={(theme) => change({ theme })}
        options={[{ value: "system", label: "As the system" }, { value: "light", label: "Light" }, { value: "dark", label: "Dark" }]} />
      <Choice label="Size of text" value={now.size} onChange={(size) => change({ size })}
        options={[{ value: 0.9, label: "Small" }, { value: 1, label: "Normal" }, { value: 1.2, label: "Large" }, { value: 1.45, label: "Largest" }]} />
      <Switch label="Send a plain choice at once" help="Where only one choice is asked, it needs no Enter. Undo takes it back." checked={now.advance} onChange={(advance) => change({ advance })} />
      <Switch label="Ask how sure I am" checked={now.confidence} onChange={(confidence) => change({ confidence })} />
      <Switch label="Candidates scroll together" checked={now.sync} onChange={(sync) => change({ sync })} />
      <Switch label="Show differences between two" checked={now.diff} onChange={(diff) => change({ diff })} />
    </Dialog>
  );
}
