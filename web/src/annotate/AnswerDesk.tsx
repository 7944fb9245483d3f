import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ActiveTime } from "../activity";
import { announce } from "../announce";
import type { Answer, Assignment, Part } from "../api";
import { toast } from "../components/Toast";
import { FormContext } from "../forms/context";
import { answerOf, emptyDraft, firstMissing, type Draft } from "../forms/draft";
import { lone, Parts, type Cursor } from "../forms/PartView";
import { QuestionForm } from "../forms/QuestionForm";
import { earlier, opensRest, stageOf } from "../forms/stages";
import { settings } from "../settings";
import { useShortcut } from "../shortcuts";
import { FlagDialog, SkipDialog } from "./dialogs";
import { confidenceWord, Dock, nextConfidence } from "./Dock";

interface AnswerDeskProps {
  assignment: Assignment;
  start: Draft | null; // what was said to it before
  send: string;        // the word on the button
  onSave?: (draft: Draft) => boolean;
  onAnswer: (answer: Answer, draft: Draft) => void;
  onUndo?: () => void;
  onActive?: (time: ActiveTime) => void;
  onClaim?: (assignment: string) => void;
  skippable?: boolean;
}

/// One question with everything needed to answer it. Drawn anew for each question.
export function AnswerDesk({ assignment, start, send, onSave, onAnswer, onUndo, onActive, onClaim, skippable = true }: AnswerDeskProps) {
  const { question } = assignment;
  const [draft, setDraft] = useState<Draft>(() => start ?? emptyDraft());
  const [cursor, setCursor] = useState<Cursor>({ part: 0, row: 0 });
  const [open, setOpen] = useState<"skip" | "flag" | null>(null);
  const [comment, setComment] = useState(!!draft.comment);
  const [revealed, setRevealed] = useState(false);
  const time = useActiveTime(draft.active, onActive);
  const latest = useRef(draft);
  const sent = useRef(false);
  const stage = useMemo(() => stageOf(question, draft), [question, draft.seen]);
  const missing = firstMissing(stage, draft);

  const keep = (next: Draft) => {
    latest.current = next;
    setDraft(next);
    if (!sent.current) onSave?.({ ...next, active: time.seconds() });
  };
  const submit = () => {
    if (sent.current) return;
    const now = stageOf(question, latest.current);
    const lacking = firstMissing(now, latest.current);
    if (lacking) {
      setCursor({ part: now.form.parts.indexOf(lacking.part), row: 0 });
      return announce(`Not yet: ${lacking.what}`);
    }
    if (opensRest(question, latest.current)) {
      keep({ ...latest.current, seen: true });
      setCursor({ part: 0, row: 0 });
      return announce("The rest of the question is here now");
    }
    sent.current = true;
    onAnswer(answerOf(question, latest.current, time.seconds()), { ...latest.current, active: time.seconds() });
  };
  const change = (next: Draft, part: Part) => {
    keep(next);
    const plain = lone(stage) && !part.levels.length;
    if (plain && settings().advance && next.parts[part.name]) submit();
  };
  const skip = (reason: string) => {
    if (sent.current) return;
    sent.current = true;
    onAnswer({ said: { kind: "skip", reason }, details: {}, active_seconds: time.seconds(), ...(latest.current.flags.length ? { flags: latest.current.flags } : {}), ...(latest.current.comment ? { comment: latest.current.comment } : {}) }, latest.current);
  };
  const surroundings = useMemo(() => ({
    assignment: assignment.id, claim: (id: string) => onClaim?.(id), skip, blurred: draft.flags.includes("unsafe") && !revealed, reveal: () => setRevealed(true),
    replayed: () => keep({ ...latest.current, replays: (latest.current.replays ?? 0) + 1 }),
  }), [draft.flags, revealed]);

  useShortcut("submit", submit);
  useShortcut("undo", () => onUndo?.(), !!onUndo);
  useShortcut("skip", () => setOpen("skip"), skippable);
  useShortcut("flag", () => setOpen("flag"), skippable);
  useShortcut("comment", () => setComment(true));
  useShortcut("save", () => toast(onSave?.({ ...latest.current, active: time.seconds() }) ? "The draft is kept in this browser" : "This browser cannot keep drafts"), !!onSave);
  useShortcut("leave", () => (document.activeElement as HTMLElement | null)?.blur());
  useShortcut("confidence", () => {
    const value = nextConfidence(latest.current.confidence);
    keep({ ...latest.current, confidence: value });
    announce(confidenceWord(value));
  }, settings().confidence);

  return (
    <FormContext.Provider value={surroundings}>
      <main class="page" id="question" data-question={question.id}>
        <QuestionForm key={String(draft.seen)} question={stage} draft={draft} onDraft={change} cursor={cursor} onCursor={setCursor} earlier={earlier(question, draft)} />
      </main>
      <Dock draft={draft} onDraft={keep} missing={missing?.what ?? ""} send={opensRest(question, draft) ? "Go on" : send} onSend={submit} onUndo={onUndo}
        onSkip={skippable ? () => setOpen("skip") : undefined} onFlag={skippable ? () => setOpen("flag") : undefined} comment={comment} onComment={() => setComment(!comment)}>
        {lone(stage) && <Parts question={stage} draft={draft} onDraft={change} cursor={cursor} onCursor={setCursor} bare />}
      </Dock>
      {open === "skip" && <SkipDialog onClose={() => setOpen(null)} onSkip={(reason) => { setOpen(null); skip(reason); }} />}
      {open === "flag" && <FlagDialog chosen={draft.flags} onClose={() => setOpen(null)} onChange={(flags) => { setRevealed(false); keep({ ...latest.current, flags }); }} />}
    </FormContext.Provider>
  );
}

function useActiveTime(start: number, onActive?: (time: ActiveTime) => void): ActiveTime {
  const [time] = useState(() => new ActiveTime(undefined, start));
  useEffect(() => {
    onActive?.(time);
    const input = () => time.input();
    const shown = () => time.show(document.visibilityState === "visible");
    const kinds = ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"];
    kinds.forEach((kind) => document.addEventListener(kind, input, { passive: true }));
    document.addEventListener("visibilitychange", shown);
    return () => {
      kinds.forEach((kind) => document.removeEventListener(kind, input));
      document.removeEventListener("visibilitychange", shown);
    };
  }, []);
  return time;
}
