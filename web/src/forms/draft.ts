import type {
  Answer, Assignment, Belief, Comparison, Conversation, Correction, Demonstration, EvidenceJudgement, Feedback, HintJudgement, Part, Question,
  Ranking, Rating, RuleJudgement, Signals, SpanCritique,
} from "../api";

// What has been said so far, part by part. Most drafts are the feedback itself with entries missing; rankings and evidence need
// room for what is not yet said.

export interface RankDraft { kind: "ranking"; ranks: number[] } // by item; 0 = not yet placed
export interface EvidenceDraft { kind: "evidence_judgement"; entries: { item: number; plausible?: Belief; supported?: Belief }[] }
export interface TalkDraft extends Conversation { turn?: Assignment; ended?: boolean; unsent?: string }
export type PartDraft =
  | Comparison | RankDraft | Rating | RuleJudgement | EvidenceDraft | SpanCritique | Correction | Demonstration | TalkDraft | Signals | HintJudgement;

export interface Draft {
  parts: Record<string, PartDraft>;
  confidence?: number;
  comment: string;
  flags: string[];
  active: number; // seconds
  replays?: number;
  seen?: boolean; // what was asked before the rest is answered, and the rest shown (stages.ts)
}

export const emptyDraft = (): Draft => ({ parts: {}, comment: "", flags: [], active: 0 });

/// The groups that numbered places mean: equal numbers tie, gaps do not matter.
export function groupsOf(ranks: number[]): number[][] {
  const places = [...new Set(ranks.filter(Boolean))].sort((a, b) => a - b);
  return places.map((place) => ranks.flatMap((rank, item) => (rank === place ? [item] : [])));
}

export function ranksOf(groups: number[][], items: number): number[] {
  const ranks = Array<number>(items).fill(0);
  groups.forEach((group, place) => group.forEach((item) => { ranks[item] = place + 1; }));
  return ranks;
}

/// Comparisons that an order of groups implies.
export function impliedPairs(groups: number[][]): { better: number; worse: number; tie: boolean }[] {
  return groups.flatMap((group, place) => [
    ...group.flatMap((a, at) => group.slice(at + 1).map((b) => ({ better: a, worse: b, tie: true }))),
    ...group.flatMap((a) => groups.slice(place + 1).flat().map((b) => ({ better: a, worse: b, tie: false }))),
  ]);
}

export const countWords = (text: string): number => text.split(/\s+/u).filter(Boolean).length;

/// What is still missing from a part, in the annotator's words; "" when it is complete.
export function missing(part: Part, question: Question, draft: PartDraft | undefined): string {
  const items = question.items.length;
  const left = (count: number, thing: string) => (count > 0 ? `${count} ${thing}${count > 1 ? "s" : ""} left` : "");
  switch (part.ask) {
    case "compare":
      return draft ? "" : "Choose one";
    case "rank": {
      const placed = (draft as RankDraft)?.ranks.filter(Boolean) ?? [];
      if (!part.allow_tie && new Set(placed).size < placed.length) return "Two items share a place";
      return left(items - placed.length, "item");
    }
    case "rate":
      return left(rowsOf(part, question) - ((draft as Rating)?.values.length ?? 0), "scale");
    case "judge_rules":
      return left(rowsOf(part, question) - ((draft as RuleJudgement)?.entries.length ?? 0), "rule");
    case "judge_evidence":
      return left(2 * items - ((draft as EvidenceDraft)?.entries.reduce((sum, each) => sum + +!!each.plausible + +!!each.supported, 0) ?? 0), "line");
    case "mark_spans":
      return draft ? "" : "Mark a passage, or say that there is nothing to mark";
    case "correct":
    case "demonstrate": {
      const text = (draft as Demonstration)?.text ?? "";
      if (!text.trim()) return part.ask === "correct" ? "Edit the text, or say that it is good as it is" : "Write something";
      const words = part.least_words - countWords(text);
      return words > 0 ? `${words} more word${words > 1 ? "s" : ""}` : "";
    }
    case "converse": {
      const talk = draft as TalkDraft | undefined;
      if (!talk?.turns.length) return "Talk first";
      return talk.turn ? "Choose a reply" : talk.ended ? "" : "End the conversation";
    }
    case "judge_hints":
      return "";
    case "signal":
      return (draft as Signals)?.count ? "" : "Teach first";
  }
}

/// Whether anything was said to a part.
export const said = (draft: PartDraft | undefined): boolean => {
  if (!draft) return false;
  if ("ranks" in draft) return draft.ranks.some(Boolean);
  if ("values" in draft) return draft.values.length > 0;
  if ("entries" in draft) return draft.entries.length > 0;
  if ("opened" in draft) return draft.opened > 0;
  if ("text" in draft) return draft.text.trim() !== "";
  return true;
};

/// What keeps the whole answer from being sent; null when it can go. A part that need not be answered is left out or complete.
export function firstMissing(question: Question, draft: Draft): { part: Part; what: string } | null {
  for (const part of question.form.parts) {
    const given = draft.parts[part.name];
    if (!part.required && !said(given)) continue;
    if (part.ask === "judge_rules" && !part.required) continue;
    const what = missing(part, question, given);
    if (what) return { part, what };
  }
  return null;
}

function feedbackOf(draft: PartDraft): Feedback {
  switch (draft.kind) {
    case "ranking":
      return { kind: "ranking", groups: groupsOf(draft.ranks) } satisfies Ranking;
    case "evidence_judgement":
      return draft as EvidenceJudgement;
    case "conversation":
      return { kind: "conversation", messages: draft.messages, turns: draft.turns };
    default:
      return draft;
  }
}

/// The answer to send. Call it only when nothing is missing.
export function answerOf(question: Question, draft: Draft, active: number): Answer {
  const [first, ...others] = question.form.parts;
  const details = Object.fromEntries(
    others.filter((part) => said(draft.parts[part.name])).map((part) => [part.name, feedbackOf(draft.parts[part.name]!)]),
  );
  return {
    said: feedbackOf(draft.parts[first!.name]!),
    details,
    ...(draft.confidence === undefined ? {} : { confidence: draft.confidence }),
    ...(draft.comment.trim() ? { comment: draft.comment.trim() } : {}),
    ...(draft.flags.length ? { flags: draft.flags } : {}),
    active_seconds: active,
    client: { page: "web", width: innerWidthOr(0), ...(draft.replays ? { replays: draft.replays } : {}) },
  };
}

const innerWidthOr = (otherwise: number) => (typeof innerWidth === "number" ? innerWidth : otherwise);

const plainComparison: Comparison = { kind: "comparison", best: 0, tie: false, strength: 1, both_bad: false, incomparable: false };

/// Stored answers leave out what has its usual value.
function draftOf(said: Feedback, items: number): PartDraft | undefined {
  switch (said.kind) {
    case "skip":
      return undefined;
    case "ranking":
      return { kind: "ranking", ranks: ranksOf(said.groups, items) };
    case "conversation":
      return { ...said, ended: true };
    case "comparison":
      return { ...plainComparison, ...said };
    case "span_critique":
      return { ...said, spans: said.spans.map((span) => ({ ...span, remark: span.remark ?? "" })) };
    default:
      return said;
  }
}

/// An answer that was given, as a draft to change.
export function draftFrom(question: Question, answer: Answer): Draft {
  const [first, ...others] = question.form.parts;
  const given: [string, Feedback | undefined][] = [[first!.name, answer.said], ...others.map((part): [string, Feedback | undefined] => [part.name, answer.details?.[part.name]])];
  const parts: Record<string, PartDraft> = {};
  for (const [name, feedback] of given) {
    const made = feedback && draftOf(feedback, question.items.length);
    if (made) parts[name] = made;
  }
  return { parts, confidence: answer.confidence, comment: answer.comment ?? "", flags: answer.flags ?? [], active: answer.active_seconds, seen: true };
}

/// How many things a part asks: where the keys can be.
export function rowsOf(part: Part, question: Question): number {
  const items = question.items.length;
  switch (part.ask) {
    case "rank": return items;
    case "rate": return Math.max(1, items) * part.axes.length; // with nothing shown, the conversation itself is rated
    case "judge_rules": return Math.max(1, items) * part.rules.length;
    case "judge_evidence": return 2 * items;
    default: return 1;
  }
}

/// Candidates are called A, B, C, ... in the order shown.
export const letter = (place: number): string => String.fromCharCode(65 + place);
