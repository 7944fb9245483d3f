import { announce } from "../announce";
import type { Hint, HintJudgement, Question } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { type Draft, letter } from "./draft";
import type { PartProps } from "./part";

/// Help that is opened hint by hint, as many as the form allows. Each speaks of a passage, and can be marked as wrong.
export function JudgeHints({ part, question, draft, onDraft }: PartProps<HintJudgement>) {
  const hints = question.hints ?? [];
  const opened = draft?.opened ?? 0, wrong = draft?.wrong ?? [];
  const most = part.most ? Math.min(part.most, hints.length) : hints.length;
  const open = () => {
    if (opened >= most) return announce("There are no more hints");
    onDraft({ kind: "hint_judgement", opened: opened + 1, wrong });
    announce(`Hint ${opened + 1}: ${hints[opened]!.text}`);
  };
  const toggle = (hint: number) => {
    if (hint < 0) return;
    const said = wrong.includes(hint);
    onDraft({ kind: "hint_judgement", opened, wrong: said ? wrong.filter((each) => each !== hint) : [...wrong, hint].sort((a, b) => a - b) });
    announce(`Hint ${hint + 1} is ${said ? "right" : "wrong"}`);
  };
  useShortcut("hints.open", open);
  useShortcut("hints.wrong", () => toggle(opened - 1), opened > 0);
  if (!hints.length) return <p class="small soft">There is no help with this question.</p>;
  return (
    <div class="stack tight">
      <ol class="hints">
        {hints.slice(0, opened).map((hint, at) => (
          <li key={at} class={`hint card ${wrong.includes(at) ? "wrong" : ""}`} onMouseEnter={() => point(at)} onMouseLeave={() => point(null)} onFocusIn={() => point(at)} onFocusOut={() => point(null)}>
            <p class="grow" dir="auto"><strong class="hint-number">{at + 1}</strong> <span class="hint-text">{hint.text}</span> <span class="small soft">{passageOf(question, hint)}</span></p>
            <Button keep aria-pressed={wrong.includes(at)} action={at === opened - 1 ? "hints.wrong" : undefined} onClick={() => toggle(at)}>This is wrong<span class="unseen">: hint {at + 1}</span></Button>
          </li>
        ))}
      </ol>
      <div class="row">
        <Button keep action="hints.open" disabled={opened >= most} onClick={open}>{opened ? "Open another hint" : "Open a hint"}</Button>
        <span class="small soft">{opened < most ? `${most - opened} left` : "No more hints"}</span>
      </div>
    </div>
  );
}

const passageOf = (question: Question, hint: Hint) => {
  const of = question.items.length > 1 ? `in ${letter(hint.item)}` : "";
  if (hint.begin >= hint.end) return of;
  return `${of ? `${of}: ` : ""}“${[...question.items[hint.item]!.text].slice(hint.begin, hint.end).join("")}”`;
};

/// Lights up the passage of a hint where the items stand.
function point(hint: number | null): void {
  document.querySelectorAll<HTMLElement>("mark[data-hints]").forEach((mark) => mark.classList.toggle("at-hand", mark.dataset.hints!.split(" ").includes(String(hint))));
}

/// Hints of a question that are open now.
export function openHints(question: Question, draft: Draft): Hint[] {
  const part = question.form.parts.find((each) => each.ask === "judge_hints");
  const given = part && (draft.parts[part.name] as HintJudgement | undefined);
  return question.hints?.slice(0, given?.opened ?? 0) ?? [];
}
