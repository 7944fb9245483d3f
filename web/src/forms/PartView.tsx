import type { ComponentType } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Ask, Comparison, Part, Question } from "../api";
import { Compare } from "./Compare";
import { rowsOf, type Draft, type PartDraft } from "./draft";
import { JudgeEvidence } from "./JudgeEvidence";
import { JudgeHints } from "./JudgeHints";
import { JudgeRules } from "./JudgeRules";
import type { PartProps } from "./part";
import { Rate } from "./Rate";
import { lazy } from "../router";
import { Correct, Demonstrate } from "./Write";

// Larger controls are fetched when the browser has time, before a question needs them.
const larger = {
  Converse: () => import("./Converse").then((module) => ({ default: module.Converse })),
  Live: () => import("./Live").then((module) => ({ default: module.Live })),
  MarkSpans: () => import("./MarkSpans").then((module) => ({ default: module.MarkSpans })),
  Rank: () => import("./Rank").then((module) => ({ default: module.Rank })),
};
setTimeout(() => Object.values(larger).forEach((load) => void load().catch(() => {})), 1500);

// One control for each thing a form can ask. A new kind of part is one line here and one component.
const controls: Record<Ask, ComponentType<PartProps<any>>> = {
  compare: Compare, rank: lazy(larger.Rank), rate: Rate, judge_rules: JudgeRules, judge_evidence: JudgeEvidence,
  mark_spans: lazy(larger.MarkSpans), correct: Correct, demonstrate: Demonstrate, converse: lazy(larger.Converse), signal: lazy(larger.Live), judge_hints: JudgeHints,
};

export interface Cursor { part: number; row: number }

interface PartsProps {
  question: Question;
  draft: Draft;
  onDraft: (draft: Draft, part: Part) => void;
  cursor: Cursor;
  onCursor: (cursor: Cursor) => void;
  bare?: boolean; // a single part whose heading stands elsewhere
}

/// The row after a row, over the borders of parts; null behind the last one.
export function stepCursor(question: Question, { part, row }: Cursor, by: 1 | -1): Cursor | null {
  const parts = question.form.parts;
  const next = row + by;
  if (next >= 0 && next < rowsOf(parts[part]!, question)) return { part, row: next };
  const other = part + by;
  if (!parts[other]) return null;
  return { part: other, row: by > 0 ? 0 : rowsOf(parts[other]!, question) - 1 };
}

/// The parts of a form from top to bottom. Keys go to the one at hand.
export function Parts({ question, draft, onDraft, cursor, onCursor, bare }: PartsProps) {
  // Drafts of one event add up: a part that sets its draft and moves on in one go must not lose the first.
  const latest = useRef(draft);
  latest.current = draft;
  return (
    <>
      {question.form.parts.map((part, at) => {
        const Control = controls[part.ask];
        const set = (given: PartDraft | undefined) => {
          const { [part.name]: _, ...others } = latest.current.parts;
          latest.current = { ...latest.current, parts: given ? { ...others, [part.name]: given } : others };
          onDraft(latest.current, part);
        };
        const next = () => {
          const to = stepCursor(question, { part: at, row: cursor.part === at ? cursor.row : 0 }, 1);
          if (to) onCursor(to);
        };
        const control = (
          <Control
            part={part} question={question} draft={draft.parts[part.name]} onDraft={set} active={cursor.part === at}
            row={cursor.part === at ? cursor.row : 0} onRow={(row: number) => (cursor.part !== at || cursor.row !== row) && onCursor({ part: at, row })}
            onNext={next} onSend={() => {}}
          />
        );
        return bare ? <div key={part.name}>{control}</div> : <PartSection key={part.name} part={part} active={cursor.part === at} several={question.form.parts.length > 1}>{control}</PartSection>;
      })}
    </>
  );
}

function PartSection({ part, active, several, children }: { part: Part; active: boolean; several: boolean; children: preact.ComponentChildren }) {
  const section = useRef<HTMLElement>(null);
  const [before, setBefore] = useState(active);
  useLayoutEffect(() => {
    if (active && !before) {
      section.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
      // Letters typed for the next part must not land in the text of the last one.
      const typing = document.activeElement as HTMLElement | null;
      if (typing?.matches("textarea, input") && !section.current?.contains(typing)) typing.blur();
    }
    setBefore(active);
  }, [active]);
  return (
    <section ref={section} class={`part ${active && several ? "at-hand" : ""}`} aria-label={part.label}>
      <header class="part-head">
        <h2 class="part-label">{part.label}{!part.required && <span class="small soft"> (if you like)</span>}</h2>
        {part.help && <details class="small"><summary>Help</summary><p dir="auto">{part.help}</p></details>}
      </header>
      {children}
    </section>
  );
}

/// A form of nothing but one comparison: answered from the bar at the bottom, always in reach.
export const lone = (question: Question): boolean => question.form.parts.length === 1 && question.form.parts[0]!.ask === "compare";

/// The comparison of a form's first part, to outline the chosen candidate.
export const chosenOf = (question: Question, draft: Draft): Comparison | undefined => {
  const first = question.form.parts[0]!;
  return first.ask === "compare" ? (draft.parts[first.name] as Comparison | undefined) : undefined;
};
