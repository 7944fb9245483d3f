// A small feedback server in memory, for the tests of the pages: it speaks docs/http_api.md, keeps nothing, and gives questions in the
// order they came. `rlhf collect` takes its place when RLHF_SERVER is set.
import { createHash } from "node:crypto";
import { readFileSync, existsSync, readdirSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { extname, join, resolve } from "node:path";
import { deflateSync } from "node:zlib";
import { parse } from "smol-toml";
import { WebSocketServer, type WebSocket } from "ws";
import type { Answer, Assignment, Feedback, Form, Hint, Item, Message, Part, Question } from "../src/api";

const root = resolve(import.meta.dirname, "../..");
const dist = process.env.DIST ?? resolve(import.meta.dirname, "../dist");

/// A question as the store keeps it: items in the order made.
export interface Made { id: string; form: Form | string; prompt: { text: string; messages: Message[] }; items: Item[]; shown: number[]; hints?: Hint[]; target: string; round: string; guideline: string; explanation: string; right: number | null }

const part = (given: Partial<Part>): Part => ({
  name: "", ask: "compare", label: "", help: "", required: true, before: false, allow_tie: false, allow_both_bad: false, allow_incomparable: false, worse: false, turns: "", levels: [], rules: [], categories: [], least_words: 0, most: 0,
  ...given, axes: (given.axes ?? []).map((axis) => ({ ...axis, step: axis.step ?? 1, label: axis.label ?? axis.name, anchors: axis.anchors ?? [] })),
});

export function form(given: Partial<Form>): Form {
  return { name: "", title: "", instruction: "", media: "text", least_items: 2, most_items: 2, ...given, parts: (given.parts ?? []).map(part) };
}

/// The forms of the papers, from the files that are built into the program.
export const forms: Record<string, Form> = Object.fromEntries(
  readdirSync(join(root, "rlhf/feedback/forms")).filter((name) => name.endsWith(".toml")).map((name) => {
    const read = form(parse(readFileSync(join(root, "rlhf/feedback/forms", name), "utf8")) as unknown as Partial<Form>);
    return [read.name, read];
  }),
);

type Renumber = (item: number) => number;
const entries = <T extends { item: number }>(list: T[], number: Renumber) => list.map((each) => ({ ...each, item: number(each.item) }));

export function renumbered(said: Feedback, number: Renumber): Feedback {
  switch (said.kind) {
    case "comparison": return said.tie || said.incomparable ? said : { ...said, best: number(said.best) };
    case "ranking": return { ...said, groups: said.groups.map((group) => group.map(number)) };
    case "rating": return { ...said, values: entries(said.values, number) };
    case "rule_judgement": return { ...said, entries: entries(said.entries, number) };
    case "evidence_judgement": return { ...said, entries: entries(said.entries, number) };
    case "span_critique": return { ...said, spans: entries(said.spans, number) };
    case "correction": return { ...said, item: number(said.item) };
    default: return said;
  }
}

const shapeOf = (question: Made): Form => (typeof question.form === "string" ? forms[question.form]! : question.form);

/// Between what the page says and what is stored: items are counted in another order, and where the page names the worse of two, the better
/// one is stored.
const translate = (answer: Answer, question: Made, number: Renumber): Answer => {
  const part = (name: string) => shapeOf(question).parts.find((each) => each.name === name);
  const turned = (said: Feedback, asked?: Part): Feedback => {
    const item = renumbered(said, number);
    return asked?.worse && item.kind === "comparison" && !item.tie && !item.incomparable ? { ...item, best: 1 - item.best } : item;
  };
  return { ...answer, said: turned(answer.said, shapeOf(question).parts[0]), details: Object.fromEntries(Object.entries(answer.details ?? {}).map(([name, said]) => [name, turned(said, part(name))])) };
};

interface Entry { sequence: number; question: Made; answer: Answer; annotator: string; assignment: string; answered_at: number; undone: boolean }
interface Lease { id: string; question: Made; annotator: string }

/// A picture of one colour with a bar: enough to tell frames apart.
export function png(width: number, height: number, shade: number, bar: number): Buffer {
  const rows = Buffer.alloc((width * 3 + 1) * height);
  for (let y = 0; y < height; ++y) for (let x = 0; x < width; ++x) {
    const at = y * (width * 3 + 1) + 1 + x * 3;
    const lit = Math.hypot(x - bar * width, y - height * 0.6) < height * 0.12;
    rows.set(lit ? [250, 210, 90] : y > height * 0.75 ? [70, 90, 70] : [30, 40 + shade, 70], at);
  }
  const chunk = (kind: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const made = Buffer.alloc(body.length + 8);
    made.writeUInt32BE(data.length, 0);
    body.copy(made, 4);
    made.writeUInt32BE(crc(body), body.length + 4);
    return made;
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function crc(data: Buffer): number {
  let value = ~0;
  for (const byte of data) {
    value ^= byte;
    for (let bit = 0; bit < 8; ++bit) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

const types: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

export class FeedbackServer {
  readonly made: Made[] = [];
  readonly log: Entry[] = [];
  readonly signals: { session: string; number: number; value: number; tick: number }[] = [];
  project = { name: "default", title: "Helpful answers", guideline: { version: "3", text: "" }, examples: [] as { title: string; text: string }[], forms, task: { show_progress: true } as { consent?: string; show_progress: boolean } };
  waiting = { reason: "All questions are answered. New ones appear here by themselves.", seconds: 20 };
  replies: [string, string] = ["Of course. Start with the smallest step.", "No."];
  down = false; // every request is refused, as behind a lost connection
  private leases: Lease[] = [];
  private name = "me";
  private sequence = 0;
  private server!: Server;
  url = "";

  async start(): Promise<string> {
    this.server = createServer((request, response) => void this.handle(request, response).catch((error) => this.json(response, 500, { error: { what: String(error), where: "", fix: "" } })));
    const sockets = new WebSocketServer({ server: this.server });
    sockets.on("connection", (socket, request) => this.live(socket, decodeURIComponent(request.url!.split("/").pop()!)));
    await new Promise<void>((ready) => this.server.listen(0, "127.0.0.1", ready));
    this.url = `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
    return this.url;
  }
  forget(): void {
    this.made.length = 0;
    this.leases = [];
  }
  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  private view(question: Made): Question {
    return { id: question.id, form: shapeOf(question), prompt: question.prompt, items: question.shown.map((item) => question.items[item]!), hints: question.hints?.map((hint) => ({ ...hint, item: question.shown.indexOf(hint.item) })), target: question.target, round: question.round, guideline: question.guideline };
  }
  private lend = (lease: Lease): Assignment => ({ id: lease.id, question: this.view(lease.question), lease_until: Date.now() / 1000 + 600 });
  private stands = (question: Made) => this.log.some((entry) => entry.question === question && !entry.undone);
  private progress = () => ({ mine: this.log.filter((entry) => !entry.undone).length, mine_today: this.log.filter((entry) => !entry.undone).length, open: this.made.filter((each) => !this.stands(each)).length, answered: this.log.filter((entry) => !entry.undone).length, wanted: this.made.length });

  private lease(question: Made): Lease {
    const lease = { id: `a${++this.sequence}-${question.id}`, question, annotator: this.name };
    this.leases.push(lease);
    return lease;
  }

  private next(count: number) {
    const held = () => this.leases.filter((lease) => lease.annotator === this.name && !this.stands(lease.question));
    for (const question of this.made) {
      if (held().length >= count) break;
      if (!this.stands(question) && !this.leases.some((lease) => lease.question === question)) this.lease(question);
    }
    const assignments = held().slice(0, count).map(this.lend);
    return { assignments, progress: this.progress(), waiting: assignments.length ? null : this.waiting };
  }

  private answer(id: string, answer: Answer) {
    const before = this.log.find((entry) => entry.assignment === id);
    if (before && !before.undone) return { sequence: before.sequence, progress: this.progress() };
    const lease = this.leases.find((each) => each.id === id);
    if (!lease) return null;
    const entry: Entry = { sequence: ++this.sequence, question: lease.question, answer: translate(answer, lease.question, (place) => (lease.question.items.length ? lease.question.shown[place]! : place)), annotator: this.name, assignment: id, answered_at: Date.now() / 1000, undone: false };
    this.log.push(entry);
    const { right, explanation } = lease.question;
    const verdict = lease.question.round ? { right: entry.answer.said.kind === "comparison" && entry.answer.said.best === right, explanation } : undefined;
    return { sequence: entry.sequence, progress: this.progress(), ...(verdict ? { verdict } : {}) };
  }

  private shownAnswer = (entry: Entry): Answer => translate(entry.answer, entry.question, (item) => (entry.question.items.length ? entry.question.shown.indexOf(item) : item));

  private undo(sequence: number) {
    const entry = this.log.find((each) => each.sequence === sequence);
    if (!entry) return null;
    entry.undone = true;
    this.leases = this.leases.filter((lease) => lease.id !== entry.assignment);
    return { sequence: ++this.sequence, assignment: this.lend(this.lease(entry.question)) };
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://localhost");
    if (this.down && url.pathname.startsWith("/api")) return void request.socket.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    if (url.pathname.startsWith("/media/")) return this.media(url.pathname.slice(7), response);
    if (!url.pathname.startsWith("/api/")) return this.file(url.pathname, response);
    const body = text && !url.pathname.endsWith("/questions") ? JSON.parse(text) : {};
    if (request.method === "POST" && url.pathname !== "/api/login" && request.headers["x-csrf-token"] !== "token" && !url.pathname.startsWith("/api/owner")) {
      return this.json(response, 403, { error: { what: "the token is missing", where: url.pathname, fix: "" } });
    }
    if (url.pathname === "/api/chat") return this.chat(body, response);
    const found = this.route(url, body, text);
    if (found === null) return this.json(response, 409, { error: { what: "you do not hold this question any more", where: "", fix: "" } });
    this.json(response, found === undefined ? 404 : 200, found ?? { error: { what: "there is nothing here", where: url.pathname, fix: "" } });
  }

  private route(url: URL, body: any, text: string): unknown {
    if (url.pathname === "/api/login") this.name = body.name;
    switch (url.pathname) {
      case "/api/login":
      case "/api/session": return { annotator: this.name, role: "owner", csrf: "token", login: false, project: "default", model: true };
      case "/api/project": return this.project;
      case "/api/next": return this.next(Number(url.searchParams.get("count")));
      case "/api/heartbeat": return { kept: body.assignments, lost: [] };
      case "/api/release": this.leases = this.leases.filter((lease) => lease.id !== body.assignment); return {};
      case "/api/answer": return this.answer(body.assignment, body.answer);
      case "/api/undo": return this.undo(body.sequence);
      case "/api/revise": return this.revise(body.sequence, body.answer);
      case "/api/history": return { entries: this.log.toReversed().filter((entry) => !Number(url.searchParams.get("before")) || entry.sequence < Number(url.searchParams.get("before"))).slice(0, Number(url.searchParams.get("limit"))).map((entry) => ({ sequence: entry.sequence, question: this.view(entry.question), answer: this.shownAnswer(entry), answered_at: entry.answered_at, undone: entry.undone })) };
      case "/api/owner/questions": return { added: this.add(text) };
      case "/api/owner/search": return { entries: this.log.toReversed().filter((entry) => !entry.undone && entry.question.id === url.searchParams.get("question")).map((entry) => ({ sequence: entry.sequence, question: this.view(entry.question), answer: this.shownAnswer(entry), annotator: entry.annotator, answered_at: entry.answered_at })) };
    }
    return undefined;
  }

  private revise(sequence: number, answer: Answer) {
    const entry = this.log.find((each) => each.sequence === sequence);
    if (!entry) return null;
    entry.undone = true;
    this.log.push({ ...entry, sequence: ++this.sequence, answer: translate(answer, entry.question, (place) => (entry.question.items.length ? entry.question.shown[place]! : place)), undone: false });
    return { sequence: this.sequence, progress: this.progress() };
  }

  private add(text: string): number {
    const rows = text.trim().split("\n").map((line) => JSON.parse(line) as Made);
    this.made.push(...rows.filter((row) => !this.made.some((each) => each.id === row.id)));
    return rows.length;
  }

  private async chat({ assignment, messages }: { assignment: string; messages: Message[] }, response: ServerResponse) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const words = this.replies.map((reply) => reply.split(/(?<= )/));
    for (let at = 0; at < Math.max(...words.map((each) => each.length)); ++at) {
      for (const candidate of [0, 1] as const) {
        const word = words[candidate]![at];
        if (word) response.write(`event: token\ndata: ${JSON.stringify({ candidate, text: word })}\n\n`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const talk = shapeOf(this.leases.find((each) => each.id === assignment)!.question);
    const turn: Made = { id: `${assignment}-turn-${messages.length}`, form: talk.parts.find((each) => each.ask === "converse")?.turns || "pair_strength", prompt: { text: "", messages }, items: this.replies.map((text) => ({ text, quotes: [], clip: "" })), shown: [0, 1], target: "", round: "", guideline: "", explanation: "", right: null };
    response.end(`event: turn\ndata: ${JSON.stringify({ assignment: this.lend(this.lease(turn)) })}\n\n`);
  }

  private live(socket: WebSocket, session: string) {
    let tick = 0, paused = false, speed = 1;
    const state = () => socket.send(JSON.stringify({ type: "state", tick, time: tick / 20, return: 0, episode: 1 + Math.floor(tick / 200), action: ["left", "stay", "right"][tick % 3], paused, speed, signals: this.signals.filter((each) => each.session === session).length }));
    socket.send(JSON.stringify({ type: "hello", width: 160, height: 120, rate: 20 }));
    const timer = setInterval(() => {
      if (paused) return;
      const head = Buffer.alloc(8);
      head.writeBigUInt64LE(BigInt(++tick));
      socket.send(Buffer.concat([head, png(160, 120, 20, 0.5 + 0.35 * Math.sin(tick / 15))]));
      if (tick % 5 === 0) state();
    }, 50);
    socket.on("close", () => clearInterval(timer));
    socket.on("message", (raw) => {
      const message = JSON.parse(String(raw));
      if (message.type === "ping") socket.send(JSON.stringify({ type: "pong", at: message.at }));
      if (message.type === "pause") { paused = message.on; state(); }
      if (message.type === "speed") { speed = message.value; state(); }
      if (message.type === "undo") this.signals.pop();
      if (message.type === "signal") {
        if (!this.signals.some((each) => each.session === session && each.number === message.number)) this.signals.push({ session, number: message.number, value: message.value, tick: message.tick });
        socket.send(JSON.stringify({ type: "stored", number: message.number }));
      }
    });
  }

  /// Clips "clip0", "clip1", ...: twenty frames of a ball.
  private media(name: string, response: ServerResponse) {
    const [hash, kind] = name.split(".") as [string, string];
    const which = Number(/\d+/.exec(hash)?.[0] ?? 0);
    if (hash.startsWith("missing")) return this.json(response, 404, { error: { what: "no such clip", where: name, fix: "" } });
    if (kind === "json") return this.json(response, 200, { fps: 20, width: 160, height: 120, frames: Array.from({ length: 20 }, (_, at) => `f${which}x${at}`) });
    const at = Number(hash.split("x")[1]);
    response.writeHead(200, { "Content-Type": "image/png", "Cache-Control": "max-age=3600" });
    response.end(png(160, 120, 10 + (which % 5) * 10, 0.1 + (0.8 * (which % 2 ? 20 - at : at)) / 20));
  }

  private file(path: string, response: ServerResponse) {
    const file = join(dist, path);
    const served = extname(path) && existsSync(file) ? file : join(dist, "index.html");
    const body = readFileSync(served);
    response.writeHead(200, { "Content-Type": types[extname(served)] ?? "application/octet-stream", ETag: createHash("md5").update(body).digest("hex") });
    response.end(body);
  }

  private json(response: ServerResponse, status: number, body: unknown) {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(JSON.stringify(body));
  }
}
