// What the owner's part of the server says: docs/http_api.md, "For the owner".

import type { Answer, Question } from "../api";
import type { Estimate } from "../desk/format";

export interface Counts { questions: number; open: number; leased: number; answers: number; skips: number; undone: number }
export interface FormCount { form: string; open: number; answers: number; median_seconds: number | null }
export interface ProjectCount { name: string; questions?: number; open?: number; answers?: number }
export interface Overview {
  counts: Counts;
  rate_per_hour: number | null;
  seconds_left: number | null;
  forms: FormCount[];
  projects: (string | ProjectCount)[];
  cost: { judgements: number; seconds: number } | null;
}

export type QueueState = "open" | "leased" | "done" | "flagged" | "withdrawn";
export interface QueueEntry {
  id: string; form: string; state: QueueState; wanted: number; given: number; priority: number; split: "train" | "heldout"; prompt: string;
}
export interface Requeue { question: string; priority?: number; answers?: number; withdrawn?: boolean; reason: string }

/// A quantity with its interval, a plain number, or nothing where it cannot be said.
export type Said = Estimate | number | null | undefined;
export interface Agreement {
  raw: Said;
  cohen: { a: string; b: string; kappa: Said; n: number }[];
  fleiss: Said;
  krippendorff: Said;
  with_gold: Said;
  with_reward_model: Said;
  reference: Record<string, Said>;
  over_time: { at: number; raw: Said }[];
}

export type Standing = "active" | "paused" | "revoked";
export interface Annotator {
  name: string; source: "human" | "model" | "simulated"; standing: Standing; quota: number; answers: number; skips: number;
  median_seconds: number | null; agreement: Said; gold_accuracy: Said; reliability: Said; left_share: Said; longer_share: Said;
  warnings: string[]; last_at: number | null; passed: string[];
}
export interface AnnotatorChange { name: string; standing?: Standing; quota?: number; password?: string; role?: string }

export interface Vote { annotator: string; answer: Answer }
export interface Disagreement { question: Question; answers: Vote[]; split: number }
export interface Found {
  sequence: number; question: Question; answer: Answer; annotator: string; source: string; answered_at: number; split: "train" | "heldout";
}
export interface Search {
  text?: string; annotator?: string; form?: string; question?: string; flagged?: boolean; skipped?: boolean; before?: number; limit?: number;
}
export interface Document { kind: string; name: string; version: string; text: string; ask_again?: boolean }
export interface RewardPoint { labels: number; accuracy: number; low: number | null; high: number | null; at: number }

export function estimate(said: Said): Estimate | null {
  if (said === null || said === undefined) return null;
  return typeof said === "number" ? { value: said } : said;
}
