import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { announce } from "../announce";

interface Note { id: number; text: string; tone: "plain" | "bad"; action?: { label: string; run: () => void } }

let notes: Note[] = [];
let count = 0;
const listeners = new Set<() => void>();
const changed = () => listeners.forEach((each) => each());

/// Says something in passing, on the screen and to screen readers.
export function toast(text: string, options: { tone?: "plain" | "bad"; action?: Note["action"]; seconds?: number } = {}): void {
  const note: Note = { id: ++count, text, tone: options.tone ?? "plain", action: options.action };
  notes = [...notes.slice(-1), note];
  announce(text);
  changed();
  setTimeout(() => dismiss(note.id), (options.seconds ?? (note.tone === "bad" ? 10 : 5)) * 1000);
}

function dismiss(id: number): void {
  notes = notes.filter((each) => each.id !== id);
  changed();
}

export function Toasts() {
  const [, redraw] = useState({});
  useEffect(() => {
    const seen = () => redraw({});
    listeners.add(seen);
    return () => void listeners.delete(seen);
  }, []);
  if (!notes.length) return null;
  return (
    <div class="toasts" role="region" aria-label="Messages">
      {notes.map((note) => (
        <div key={note.id} class={`toast ${note.tone}`}>
          <span>{note.text}</span>
          {note.action && (
            <button type="button" class="button quiet" onClick={() => { note.action!.run(); dismiss(note.id); }}>{note.action.label}</button>
          )}
        </div>
      ))}
    </div>
  );
}

/// A quiet box in the middle of a page: nothing to show, waiting, an error.
export function Notice({ title, children, tone }: { title: string; children?: ComponentChildren; tone?: "bad" }) {
  return (
    <div class={`notice ${tone ?? ""}`} role={tone === "bad" ? "alert" : undefined}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}
