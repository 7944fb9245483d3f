import type { Question } from "../api";
import { type Draft, said } from "./draft";

// A form may ask something before the prompt and the rest of it are shown: what a summary seems to say, what an attack will try.
// Such a question is answered in two steps, each of them a question with fewer parts.

/// What is on the screen now. In the first step there is no prompt yet; in the second one the first cannot be changed any more.
export function stageOf(question: Question, draft: Draft): Question {
  const { form } = question;
  if (!form.parts.some((part) => part.before)) return question;
  const parts = form.parts.filter((part) => part.before !== !!draft.seen);
  return draft.seen ? { ...question, form: { ...form, parts } } : { ...question, form: { ...form, parts }, prompt: { text: "", messages: [] }, hints: [] };
}

/// Whether sending ends the first step only.
export const opensRest = (question: Question, draft: Draft): boolean => !draft.seen && question.form.parts.some((part) => part.before);

/// What was written in the first step, to be read in the second.
export const earlier = (question: Question, draft: Draft): { label: string; text: string }[] =>
  draft.seen ? question.form.parts.flatMap((part) => {
    const given = draft.parts[part.name];
    return part.before && said(given) && given && "text" in given ? [{ label: part.label, text: given.text }] : [];
  }) : [];
