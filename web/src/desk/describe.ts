// What somebody said about a question, in a few words: for tables, and for screen readers.

import type { Answer, Comparison, Feedback, Question, Rating } from "../api";
import { measured, percent, plural, shorten } from "./format";

/** The letter of an item, as every page names it. */
export const letter = (index: number): string => (index < 26 ? String.fromCharCode(65 + index) : `#${index + 1}`);

export const formName = (question: Question): string => question.form?.title || question.form?.name || "";

export function promptText(question: Question): string {
  const { text, messages } = question.prompt ?? {};
  if (messages?.length) return messages.map((one) => `${one.role}: ${one.content}`).join("\n\n");
  return text ?? "";
}

/** Which item the answer names: its index, "tie", or null where it says nothing of the kind. */
export function preferred(said: Feedback | undefined): number | "tie" | null {
  if (said?.kind === "comparison") return said.incomparable ? null : said.tie ? "tie" : said.best;
  if (said?.kind === "ranking") {
    const best = said.groups[0];
    return !best ? null : best.length === 1 ? best[0]! : "tie";
  }
  return null;
}

/** Some forms ask which of two is worse: their answers name that one. */
export const asksWorse = (question: Question): boolean => !!question.form?.parts?.[0]?.worse;

function comparison(said: Comparison, question: Question): string {
  if (said.incomparable) return "Cannot be compared";
  if (said.both_bad) return "None is acceptable";
  if (said.tie) return "Equally good";
  const levels = question.form?.parts?.find((part) => part.ask === "compare")?.levels ?? [];
  const level = levels[Math.min(levels.length, Math.max(1, Math.round(said.strength * levels.length))) - 1];
  return `${letter(said.best)} is ${asksWorse(question) ? "worse" : "better"}${level ? `: ${level}` : ""}`;
}

function rating(said: Rating, items: number): string {
  return said.values.map((one) => `${items > 1 ? `${letter(one.item)} ` : ""}${one.axis} ${measured(one.value)}`).join(", ");
}

const none = (found: number, one: string, many = `${one}s`) => (found === 0 ? `No ${one}` : plural(found, one, many));

/** One phrase. Whatever kind comes that this page does not know is named, not hidden. */
export function describe(said: Feedback | undefined, question: Question): string {
  switch (said?.kind) {
    case undefined: return "Nothing";
    case "hint_judgement": return `${plural(said.opened, "hint")} opened, ${said.wrong.length} wrong`;
    case "comparison": return comparison(said, question);
    case "ranking": return said.groups.map((group) => group.map(letter).join(" = ")).join(" › ");
    case "rating": return rating(said, question.items?.length ?? 0);
    case "rule_judgement": return none(said.entries.filter((entry) => entry.verdict === "breach").length, "breach", "breaches");
    case "evidence_judgement": return none(said.entries.filter((entry) => entry.supported === "no").length, "unsupported claim");
    case "span_critique": return none(said.spans.length, "mark");
    case "correction": return `Rewrote ${letter(said.item)}`;
    case "demonstration": return `Wrote: ${shorten(said.text, 60)}`;
    case "conversation": return `Talked for ${plural(said.messages.length, "message")}`;
    case "signals": return plural(said.count, "signal");
    case "skip": return `Skipped: ${said.reason || "no reason given"}`;
    default: return `Other (${(said as { kind: string }).kind})`;
  }
}

/** What came with the judgement: confidence and flags. */
export function remarks(answer: Answer): string[] {
  const sure = typeof answer.confidence === "number" ? [`${percent(answer.confidence)} sure`] : [];
  return [...sure, ...(answer.flags ?? [])];
}

export interface Camp { choice: string; side: number | "tie" | null; annotators: string[] }

/** The sides of a split vote, the largest first. */
export function camps(question: Question, answers: { annotator: string; answer: Answer }[]): Camp[] {
  const sides = new Map<string, Camp>();
  for (const { annotator, answer } of answers) {
    const side = preferred(answer.said);
    const choice = side === null ? describe(answer.said, question) : side === "tie" ? "Equally good" : letter(side);
    const camp = sides.get(choice) ?? { choice, side, annotators: [] };
    camp.annotators.push(annotator);
    sides.set(choice, camp);
  }
  return [...sides.values()].sort((a, b) => b.annotators.length - a.annotators.length || a.choice.localeCompare(b.choice));
}
