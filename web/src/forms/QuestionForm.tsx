import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Part, Question } from "../api";
import { useShortcut } from "../shortcuts";
import { Clips } from "./Clips";
import { type Draft, letter } from "./draft";
import { Items } from "./Items";
import { openHints } from "./JudgeHints";
import { chosenOf, type Cursor, lone, Parts, stepCursor } from "./PartView";
import { Prompt } from "./Prompt";
import { choose } from "./scale";

interface FormProps {
  question: Question;
  draft: Draft;
  onDraft: (draft: Draft, part: Part) => void;
  cursor: Cursor;
  onCursor: (cursor: Cursor) => void;
  earlier?: { label: string; text: string }[]; // what was written before this could be seen
}

/// A question from its head to its last part, without the bar that sends it.
export function QuestionForm({ question, draft, onDraft, cursor, onCursor, earlier = [] }: FormProps) {
  const { form, items } = question;
  const first = form.parts[0]!;
  const onChoose = first.ask === "compare" && items.length > 1
    ? (item: number) => {
        const before = chosenOf(question, draft);
        if (before && !before.tie && !before.incomparable && before.best === item) return;
        onCursor({ part: 0, row: 0 });
        onDraft({ ...draft, parts: { ...draft.parts, [first.name]: choose(first, item, 1) } }, first);
      }
    : undefined;
  const move = (by: 1 | -1) => { const to = stepCursor(question, cursor, by); if (to) onCursor(to); };
  useShortcut("row.next", () => move(1));
  useShortcut("row.previous", () => move(-1));
  const marking = first.ask === "mark_spans"; // shows its texts itself
  const editing = form.parts[0]!.ask === "correct" && items.length === 1;
  return (
    <div class={`question media-${form.media} items-${items.length}`}>
      <Head question={question} />
      <Prompt question={question} />
      {earlier.length > 0 && (
        <dl class="earlier small" aria-label="What you wrote before">
          {earlier.map(({ label, text }) => <div key={label}><dt class="soft">{label}</dt><dd dir="auto">{text}</dd></div>)}
        </dl>
      )}
      {form.media === "clip" ? <Clips question={question} chosen={chosenOf(question, draft)} onChoose={onChoose} />
        : !marking && !editing && <Items question={question} hints={openHints(question, draft)} chosen={chosenOf(question, draft)} onChoose={onChoose} />}
      {!lone(question) && <Parts question={question} draft={draft} onDraft={onDraft} cursor={cursor} onCursor={onCursor} />}
    </div>
  );
}

function Head({ question }: { question: Question }) {
  const { form, target, round } = question;
  const title = useRef<HTMLHeadingElement>(null);
  const [said] = useState(() => `${form.title || form.parts[0]!.label}. ${question.items.length > 1 ? `${question.items.length} candidates, ${letter(0)} to ${letter(question.items.length - 1)}.` : ""}`);
  // The reader starts at the top of each new question; the heading has no ring, for nothing can be done with it.
  useLayoutEffect(() => title.current?.focus({ preventScroll: true }), [question.id]);
  return (
    <header class="question-head">
      <h1 ref={title} tabIndex={-1} aria-label={said}>{form.title || form.parts[0]!.label}</h1>
      {form.instruction && <p class="soft">{form.instruction}</p>}
      {round && <p class="badge">Practice: you will see the answer</p>}
      {target && <p class="target" dir="auto"><strong>Your task:</strong> {target}</p>}
    </header>
  );
}
