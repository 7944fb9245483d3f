// The owner's requests, typed.

import { get, post } from "../api";
import type { Agreement, Annotator, AnnotatorChange, Disagreement, Document, Found, Overview, QueueEntry, Requeue, RewardPoint, Search } from "./types";

/// Leaves out what does not filter.
export function query(fields: object): string {
  const used = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "" && value !== false && value !== 0);
  return used.length ? `?${new URLSearchParams(used.map(([name, value]) => [name, value === true ? "1" : String(value)]))}` : "";
}

export const owner = {
  overview: (signal?: AbortSignal) => get<Overview>("/api/owner/overview", signal),
  queue: (fields: { form?: string; state?: string; before?: string; limit?: number }, signal?: AbortSignal) =>
    get<{ entries: QueueEntry[] }>(`/api/owner/queue${query(fields)}`, signal),
  requeue: (change: Requeue) => post("/api/owner/requeue", change),
  agreement: (signal?: AbortSignal) => get<Agreement>("/api/owner/agreement", signal),
  annotators: (signal?: AbortSignal) => get<{ annotators: Annotator[] }>("/api/owner/annotators", signal),
  change: (annotator: AnnotatorChange) => post("/api/owner/annotators", annotator),
  erase: (annotator: string, reason: string) => post<{ events: number }>("/api/owner/erase", { annotator, reason }),
  disagreements: (limit: number, signal?: AbortSignal) => get<{ entries: Disagreement[] }>(`/api/owner/disagreements?limit=${limit}`, signal),
  search: (fields: Search, signal?: AbortSignal) => get<{ entries: Found[] }>(`/api/owner/search${query(fields)}`, signal),
  guideline: (name: string, signal?: AbortSignal) => get<Document>(`/api/owner/document?kind=guideline&name=${encodeURIComponent(name)}`, signal),
  publish: (document: Document) => post("/api/owner/document", document),
  add: (questions: object[]) => post<{ added: number }>("/api/owner/questions", { questions }),
  reward: (signal?: AbortSignal) => get<{ points: RewardPoint[] }>("/api/owner/reward", signal),
};
