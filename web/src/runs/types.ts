// What the server says about runs: docs/http_api.md, "For the owner".

import { get } from "../api";
import type { Row } from "./table";

export interface RunEntry {
  name: string; algorithm: string; step: number; steps: number | null;
  started_at: number | string | null; updated_at: number | string | null; state: string;
}
export interface Sample {
  step: number; prompt: string; completion: string; prompt_id?: string; sample?: number;
  score?: number; gold?: number; learned?: number; judge?: number; kl?: number; finish_reason?: string;
}
export interface Verdict { outcome: string; headline: string; findings: { code: string; serious: boolean; step: number; text: string }[]; best_step: number | null }
export interface RunSettings { toml: string; run: Record<string, unknown> | null; verdict: Verdict | null }

const at = (name: string) => `/api/runs/${encodeURIComponent(name)}`;

export const runs = {
  list: (signal?: AbortSignal) => get<{ runs: RunEntry[] }>("/api/runs", signal),
  metrics: (name: string, after: number, signal?: AbortSignal) => get<{ rows: Row[]; last: number | null }>(`${at(name)}/metrics?after=${after}`, signal),
  evaluation: (name: string, signal?: AbortSignal) => get<{ rows: Row[] }>(`${at(name)}/evaluation`, signal),
  samples: (name: string, limit: number, signal?: AbortSignal) => get<{ samples: Sample[] }>(`${at(name)}/samples?limit=${limit}`, signal),
  settings: (name: string, signal?: AbortSignal) => get<RunSettings>(`${at(name)}/config`, signal),
};
