import { useState } from "preact/hooks";
import { announce } from "../announce";
import { Button, Kbd } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { actions, scopeNames, type Action, type Scope } from "../keys";
import { useSettings } from "../settings";
import { chordOf, keysOf, keyText, remap, resetShortcuts } from "../shortcuts";

/// All shortcuts, those of the question at hand first; a click on keys changes them.
export function HelpDialog({ offered, onClose }: { offered: Set<string>; onClose: () => void }) {
  const { keys } = useSettings();
  const [asking, setAsking] = useState("");
  const [fault, setFault] = useState("");
  const scopes = [...new Set(actions.map((action) => action.scope))];
  const here = (scope: Scope) => actions.some((action) => action.scope === scope && offered.has(action.id));
  const order = [...scopes.filter(here), ...scopes.filter((scope) => !here(scope))];
  const take = (action: Action, event: KeyboardEvent) => {
    if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    setAsking("");
    if (event.key === "Escape") return;
    const taken = remap(action.id, [chordOf(event)]);
    setFault(taken ? `${keyText(chordOf(event))} already means “${taken.label}”. Nothing was changed.` : "");
    announce(taken ? `That key already means ${taken.label}` : `${action.label}: ${keyText(chordOf(event))}`);
  };
  return (
    <Dialog title="Shortcuts" onClose={onClose} footer={Object.keys(keys).length > 0 && <Button onClick={() => { resetShortcuts(); setFault(""); }}>Back to the original keys</Button>}>
      <p class="soft small">Choose keys to change them. A key that is taken is refused.</p>
      {fault && <p class="fault" role="alert">{fault}</p>}
      {order.map((scope) => (
        <section key={scope}>
          <h3>{scopeNames[scope]}{here(scope) && scope !== "page" && <span class="small soft"> (here)</span>}</h3>
          <ul class="keys">
            {actions.filter((action) => action.scope === scope).map((action) => (
              <li key={action.id}>
                <span>{action.label}</span>
                {action.fixed ? <span class="row caps">{action.keys.length > 4 ? <><Kbd chord="0" />–<Kbd chord="9" /></> : action.keys.map((key) => <Kbd key={key} chord={key} />)}</span> : (
                  <button type="button" class="button quiet caps"
                    onClick={() => setAsking(action.id)} onBlur={() => setAsking("")} onKeyDown={asking === action.id ? (event) => take(action, event) : undefined}>
                    <span class="unseen">{`${action.label}: ${asking === action.id ? "press a key" : keysOf(action.id).map(keyText).join(" or ")}. Change`}</span>
                    {asking === action.id ? "Press a key…" : keysOf(action.id).map((key) => <Kbd key={key} chord={key} />)}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </Dialog>
  );
}
