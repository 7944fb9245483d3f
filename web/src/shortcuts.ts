import { useLayoutEffect, useRef } from "preact/hooks";
import { change, settings } from "./settings";
import { actions, together, type Action, type Scope } from "./keys";

// One table of keys (keys.ts), one listener. Actions that can be offered at the same time never share a key: checked when the
// page loads and again at every change.

/// The keys in force for an action: the reader's, else the table's.
export function keysOf(id: string): string[] {
  return settings().keys[id] ?? actions.find((each) => each.id === id)?.keys ?? [];
}

export interface Collision { key: string; first: Action; second: Action }

const meet = (a: Scope, b: Scope) => a === b || together.some((scopes) => scopes.includes(a) && scopes.includes(b));

export function collisions(table: Action[] = actions, keys: (id: string) => string[] = keysOf): Collision[] {
  const found: Collision[] = [];
  table.forEach((first, place) => {
    for (const second of table.slice(place + 1)) {
      if (!meet(first.scope, second.scope)) continue;
      const key = keys(first.id).find((each) => keys(second.id).includes(each));
      if (key) found.push({ key, first, second });
    }
  });
  return found;
}

/// Throws when the table contradicts itself; drops a reader's changes that no longer fit.
export function checkShortcuts(): void {
  const table = (id: string) => actions.find((each) => each.id === id)!.keys;
  const wrong = collisions(actions, table)[0];
  if (wrong) throw new Error(`"${wrong.key}" means both "${wrong.first.label}" and "${wrong.second.label}"`);
  if (collisions().length) change({ keys: {} });
}

/// Gives an action another key. Returns the action that has it already, and then changes nothing.
export function remap(id: string, keys: string[]): Action | null {
  const wanted = (each: string) => (each === id ? keys : keysOf(each));
  const clash = collisions(actions, wanted).find(({ first, second }) => first.id === id || second.id === id);
  if (clash) return clash.first.id === id ? clash.second : clash.first;
  change({ keys: { ...settings().keys, [id]: keys } });
  return null;
}

export function resetShortcuts(): void {
  change({ keys: {} });
}

/// "Mod+Enter", "Shift+ArrowLeft", "?", "j": Mod is Ctrl or ⌘; Shift counts where it does not make another character.
export function chordOf(event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey">): string {
  const single = [...event.key].length === 1;
  const letter = single && event.key.toLowerCase() !== event.key.toUpperCase();
  const key = letter ? event.key.toLowerCase() : event.key === " " ? "Space" : event.key;
  const shift = event.shiftKey && (!single || letter || event.key === " ");
  return `${event.ctrlKey || event.metaKey ? "Mod+" : ""}${event.altKey ? "Alt+" : ""}${shift ? "Shift+" : ""}${key}`;
}

const apple = typeof navigator !== "undefined" && /Mac|iPhone|iPad/.test(navigator.platform ?? "");
const signs: Record<string, string> = {
  ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Mod: apple ? "⌘" : "Ctrl", Alt: apple ? "⌥" : "Alt",
  Shift: "⇧", Enter: "↵", Escape: "Esc", Backspace: "⌫", Delete: "Del",
};

/// A key as it is written on a button.
export function keyText(chord: string): string {
  const parts = chord === "+" ? ["+"] : chord.endsWith("++") ? [...chord.slice(0, -2).split("+"), "+"] : chord.split("+");
  return parts.map((part) => signs[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(apple ? "" : " ");
}

/// The same for aria-keyshortcuts.
export function keyAria(chord: string): string {
  return chord.replace("Mod", apple ? "Meta" : "Control");
}

type Handler = (event: KeyboardEvent) => void | false;
interface Bound { id: string; handler: { current: Handler }; layer: number }
const bound: Bound[] = [];
let layer = 0; // dialogs above the page; only the topmost one hears keys

/// A dialog: what is bound before it is deaf until the returned function is called.
export function openLayer(): () => void {
  const mine = ++layer;
  return () => { if (layer >= mine) layer = mine - 1; };
}

const typing = (target: Element | null) =>
  !!target?.closest("input:not([type=checkbox],[type=radio],[type=range],[type=button]), textarea, select, [contenteditable=true]");
const pressable = (target: Element | null) => !!target?.closest("button, a[href], summary, [role=button], [role=tab], [role=menuitem]");
const arrowed = (target: Element | null) => !!target?.closest("[role=tablist], [role=slider], input[type=range], input[type=radio]");

/// Whether the key belongs to the element that has the focus rather than to the page.
function taken(chord: string, target: Element | null): boolean {
  if (typing(target)) return !chord.startsWith("Mod+") && chord !== "Escape";
  if (chord === "Enter" || chord === "Space") return pressable(target);
  return chord.includes("Arrow") && arrowed(target);
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const chord = chordOf(event);
  if (taken(chord, event.target as Element | null)) return;
  for (let place = bound.length - 1; place >= 0; --place) {
    const each = bound[place]!;
    if (each.layer < layer || !keysOf(each.id).includes(chord)) continue;
    if (each.handler.current(event) === false) continue;
    event.preventDefault();
    return;
  }
}
if (typeof document !== "undefined") document.addEventListener("keydown", onKey);

/// Binds an action of the table while the component is shown and `on` holds. A handler that returns false lets the key pass.
export function useShortcut(id: string, handler: Handler, on = true): void {
  const latest = useRef(handler);
  latest.current = handler;
  // Bound with the drawing, not after it: the next key may come before the browser has painted.
  useLayoutEffect(() => {
    if (!on) return;
    const mine: Bound = { id, handler: latest, layer };
    bound.push(mine);
    return () => void bound.splice(bound.indexOf(mine), 1);
  }, [id, on]);
}

/// Ids of the actions that can be used now, for the sheet of shortcuts.
export function offered(): Set<string> {
  return new Set(bound.map((each) => each.id));
}
