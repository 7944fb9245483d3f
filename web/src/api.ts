// What the server says and takes: docs/http_api.md, typed. One place for requests, so that errors and the CSRF token are handled once.

export type Role = "owner" | "annotator" | "viewer";
export interface Session { annotator: string; role: Role; csrf: string; login: boolean; project: string; model: boolean; play?: boolean }

export type Ask =
  | "compare" | "rank" | "rate" | "judge_rules" | "judge_evidence"
  | "mark_spans" | "correct" | "demonstrate" | "converse" | "signal" | "judge_hints";

export interface Axis { name: string; label: string; low: number; high: number; step: number; anchors: [number, string][] }
export interface Rule { name: string; text: string; example: string }
export interface Part {
  name: string;
  ask: Ask;
  label: string;
  help: string;
  required: boolean;
  before: boolean;
  allow_tie: boolean;
  allow_both_bad: boolean;
  allow_incomparable: boolean;
  worse: boolean;
  turns: string;
  levels: string[];
  axes: Axis[];
  rules: Rule[];
  categories: string[];
  least_words: number;
  most: number;
}
export interface Form {
  name: string;
  title: string;
  instruction: string;
  media: "text" | "clip" | "dialogue" | "live";
  least_items: number;
  most_items: number;
  parts: Part[];
}

export interface Message { role: string; content: string }
export interface Quote { title: string; text: string }
export interface Item { text: string; quotes: Quote[]; clip: string }
export interface Hint { text: string; item: number; begin: number; end: number }
export interface Question {
  id: string;
  form: Form;
  prompt: { text: string; messages: Message[] };
  items: Item[]; // in the order shown
  hints?: Hint[];
  target: string;
  round: string;
  guideline: string;
}
export interface Assignment { id: string; question: Question; lease_until: number }

export type Verdict = "ok" | "breach" | "unsure";
export type Belief = "yes" | "no" | "unsure";
export interface Span { item: number; begin: number; end: number; category: string; remark: string }

export interface Comparison { kind: "comparison"; best: number; tie: boolean; strength: number; both_bad: boolean; incomparable: boolean }
export interface Ranking { kind: "ranking"; groups: number[][] }
export interface Rated { item: number; axis: string; value: number }
export interface Rating { kind: "rating"; values: Rated[] }
export interface RuleEntry { item: number; rule: string; verdict: Verdict }
export interface RuleJudgement { kind: "rule_judgement"; entries: RuleEntry[] }
export interface EvidenceEntry { item: number; plausible: Belief; supported: Belief }
export interface EvidenceJudgement { kind: "evidence_judgement"; entries: EvidenceEntry[] }
export interface SpanCritique { kind: "span_critique"; spans: Span[] }
export interface Correction { kind: "correction"; item: number; text: string }
export interface Demonstration { kind: "demonstration"; text: string }
export interface Conversation { kind: "conversation"; messages: Message[]; turns: string[] }
export interface Signals { kind: "signals"; session: string; count: number }
export interface HintJudgement { kind: "hint_judgement"; opened: number; wrong: number[] }
export interface Skip { kind: "skip"; reason: string }
export type Feedback =
  | Comparison | Ranking | Rating | RuleJudgement | EvidenceJudgement | SpanCritique
  | Correction | Demonstration | Conversation | Signals | HintJudgement | Skip;

export interface Answer {
  said: Feedback;
  details?: Record<string, Feedback>; // not there when nothing was said to the other parts
  confidence?: number;
  comment?: string;
  flags?: string[];
  active_seconds: number;
  client?: Record<string, unknown>;
}

export interface Progress { mine: number; mine_today: number; open: number; answered: number; wanted: number }
export interface Waiting { reason: string; seconds?: number }
export interface Next { assignments: Assignment[]; progress: Progress; waiting: Waiting | null }
export interface Outcome { sequence: number; progress: Progress; verdict?: { right: boolean; explanation: string } }
export interface HistoryEntry { sequence: number; question: Question; answer: Answer; answered_at: number; undone: boolean }
export interface Project {
  name: string;
  title: string;
  guideline: { version: string; text: string };
  examples: { title: string; text: string }[];
  forms: Record<string, Form>;
  task: { consent?: string; show_progress: boolean };
}
export interface ClipManifest { fps: number; width: number; height: number; frames: string[] }

/// What the server refused, or status 0 when it could not be reached.
export class ApiError extends Error {
  constructor(readonly status: number, what: string, readonly where = "", readonly fix = "") {
    super(what);
  }
  /// Worth trying again later: nothing was wrong with the request itself.
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

let csrf = "";
const onLogin = new Set<() => void>();

/// Calls back when a request was answered by 401: whoever shows the pages asks for a login.
export function whenLoginIsNeeded(callback: () => void): () => void {
  onLogin.add(callback);
  return () => void onLogin.delete(callback);
}

async function refusal(response: Response): Promise<ApiError> {
  const body = await response.json().catch(() => null);
  const error = body?.error;
  return new ApiError(response.status, error?.what ?? `The server answered ${response.status}.`, error?.where, error?.fix);
}

/// One request; throws ApiError. `body` makes it a POST.
export async function request(path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json" };
  if (body !== undefined) {
    headers["Content-Type"] = "application/json";
    if (csrf) headers["X-CSRF-Token"] = csrf;
  }
  let response: Response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "same-origin",
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  if (response.status === 401) onLogin.forEach((callback) => callback());
  throw await refusal(response);
}

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await request(path, undefined, signal)).json();
}

export async function post<T>(path: string, body: unknown = {}, signal?: AbortSignal): Promise<T> {
  const text = await (await request(path, body, signal)).text();
  return (text ? JSON.parse(text) : {}) as T;
}

function remember(session: Session): Session {
  csrf = session.csrf;
  return session;
}

export const api = {
  session: async () => remember(await get<Session>("/api/session")),
  login: async (name: string, password?: string) =>
    remember(await post<Session>("/api/login", password ? { name, password } : { name })),
  logout: () => post<void>("/api/logout"),
  project: () => get<Project>("/api/project"),
  next: (count: number, wait: number, signal?: AbortSignal) => get<Next>(`/api/next?count=${count}&wait=${wait}`, signal),
  heartbeat: (assignments: string[]) => post<{ kept: string[]; lost: string[] }>("/api/heartbeat", { assignments }),
  release: (assignment: string) => post<void>("/api/release", { assignment }),
  answer: (assignment: string, answer: Answer) => post<Outcome>("/api/answer", { assignment, answer }),
  revise: (sequence: number, answer: Answer) => post<Outcome>("/api/revise", { sequence, answer }),
  undo: (sequence: number) => post<{ sequence: number; assignment: Assignment | null }>("/api/undo", { sequence }),
  history: (before: number, limit = 20) =>
    get<{ entries: HistoryEntry[] }>(`/api/history?limit=${limit}${before ? `&before=${before}` : ""}`),
  manifest: (hash: string) => get<ClipManifest>(`/media/${hash}.json`),
};

/// A WebSocket of this server: `socket("/api/live/SESSION")`.
export function socket(path: string): WebSocket {
  const made = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`);
  made.binaryType = "arraybuffer";
  return made;
}

/// The events of a stream that answers a POST (server-sent events, `event:` and `data:` lines).
export async function* events(path: string, body: unknown, signal?: AbortSignal): AsyncGenerator<{ event: string; data: any }> {
  const response = await request(path, body, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    rest += value ?? "";
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop()!;
    if (done && rest.trim()) blocks.push(rest);
    for (const block of blocks) {
      const event = /^event: ?(.*)$/m.exec(block)?.[1] ?? "message";
      const data = [...block.matchAll(/^data: ?(.*)$/gm)].map((line) => line[1]).join("\n");
      if (data) yield { event, data: data === "[DONE]" ? null : JSON.parse(data) };
    }
    if (done) return;
  }
}
