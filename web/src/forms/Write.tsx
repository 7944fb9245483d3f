import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Correction, Demonstration } from "../api";
import { Button } from "../components/Button";
import { Switch } from "../components/Field";
import { Merged, useChanges } from "./Changes";
import { countWords, letter } from "./draft";
import type { PartProps } from "./part";

function WordCount({ text, least }: { text: string; least: number }) {
  const words = countWords(text);
  return <span class="small soft">{words} word{words === 1 ? "" : "s"}{words < least && least > 1 ? ` of at least ${least}` : ""}</span>;
}

/// A textarea as tall as its text; takes the focus when keys lead to it.
function Editor({ text, label, least, active, rows, onText, onFocus }: {
  text: string; label: string; least: number; active: boolean; rows: number; onText: (text: string) => void; onFocus: () => void;
}) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const element = area.current!;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight + 4, innerHeight * 0.6)}px`;
  }, [text]);
  const before = useRef(active);
  useLayoutEffect(() => {
    if (active && !before.current && document.activeElement !== area.current) area.current?.focus();
    before.current = active;
  }, [active]);
  return (
    <div class="editor">
      <textarea ref={area} rows={rows} value={text} aria-label={label} dir="auto" spellcheck onInput={(event) => onText(event.currentTarget.value)} onFocus={onFocus} />
      <WordCount text={text} least={least} />
    </div>
  );
}

/// An answer written by the annotator, or a few words of reasons.
export function Demonstrate({ part, question, draft, onDraft, active, onRow }: PartProps<Demonstration>) {
  const first = question.form.parts[0] === part && !part.before;
  return <Editor text={draft?.text ?? ""} label={part.label} least={part.least_words} active={active} rows={first ? 8 : 2} onText={(text) => onDraft({ kind: "demonstration", text })} onFocus={() => onRow(0)} />;
}

/// An item, made better: edited in place, with what was changed beside it.
export function Correct({ part, question, draft, onDraft, active, onRow }: PartProps<Correction>) {
  const [shown, setShown] = useState(true);
  const item = draft?.item ?? 0;
  const original = question.items[item]?.text ?? "";
  const text = draft?.text ?? original;
  const changes = useChanges(original, text, shown);
  const set = (to: Partial<Correction>) => onDraft({ kind: "correction", item, text, ...to });
  return (
    <div class="stack tight">
      {question.items.length > 1 && (
        <div class="row" role="group" aria-label="Which one is edited">
          {question.items.map((each, at) => <Button key={at} aria-pressed={item === at} onClick={() => set({ item: at, text: each.text })}>Edit {letter(at)}</Button>)}
        </div>
      )}
      <div class="correct">
        <Editor text={text} label={part.label} least={part.least_words} active={active} rows={6} onText={(next) => set({ text: next })} onFocus={() => onRow(0)} />
        {shown && <div class="changes card" aria-label="What changed" role="group" tabIndex={0}>{changes ? <Merged changes={changes} /> : <div class="plain-text">{text}</div>}</div>}
      </div>
      <div class="row">
        <Switch label="Show what changed" checked={shown} onChange={setShown} />
        <span class="grow" />
        <Button kind="quiet" disabled={text === original} onClick={() => set({ text: original })}>Back to the original</Button>
        <Button aria-pressed={!!draft && text === original} onClick={() => set({ text: original })}>Good as it is</Button>
      </div>
    </div>
  );
}
