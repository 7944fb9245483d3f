// What the browser tests share: a server with known questions, a page in real Chromium, and what arrived.
import { randomUUID } from "node:crypto";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type Page } from "playwright-core";
import { AxeBuilder } from "./axe";
import type { Answer, Form, Hint, Question } from "../../src/api";
import { FeedbackServer, forms, type Made } from "../server";

const program = process.env.RLHF; // the program: each file of tests starts its own `rlhf collect`, with an empty store
export const real = Boolean(program || process.env.RLHF_SERVER); // RLHF_SERVER: one that runs already
const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);

export const texts = [
  "Start with the smallest step you can do today, and tell a friend about it.",
  "You should just stop being lazy.",
  "Write three tasks on paper. Do the first one now, and rest after it.",
  "It depends.",
  "Break the work into pieces of ten minutes.", "Drink some water first.", "Ask for help.", "Make a plan for the week.", "Put the phone away.", "Begin anywhere.", "Sleep, then start.",
];

type Asked = Partial<Omit<Made, "items">> & { form: string | Form; items?: (string | Made["items"][number])[]; hints?: Hint[]; gold?: object };

/// A record as `rlhf collect` reads it, one line of JSON.
export function record(asked: Asked): Record<string, unknown> {
  const items = (asked.items ?? []).map((item, sample) => ({ quotes: [], clip: "", ...(typeof item === "string" ? { text: item } : item), ids: [], policy_version: 0, sample }));
  return {
    version: 2, id: `q-${randomUUID()}`, target: "", round: "", guideline: "3", explanation: "", right: null, split: "train", answers: 1, metadata: null,
    ...asked, prompt: { id: "p", ids: [], row: null, text: "", messages: [], ...asked.prompt }, items, shown: asked.shown ?? items.map((_, at) => items.length - 1 - at),
  };
}

/// `rlhf collect` on a store of its own, gone with it.
class Collect {
  private constructor(private readonly path: string, readonly url: string, private readonly child: ChildProcess, private readonly folder: string) {}

  get store(): string { return join(this.folder, "feedback.db"); }
  /// Another program on the same store, and its first line.
  async beside(...words: string[]): Promise<{ said: any; last: () => Promise<string> }> {
    const child = spawn(this.path, ["--json", ...words, "--store", this.store], { stdio: ["ignore", "pipe", "inherit"] });
    const lines: string[] = [];
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on("line", (line) => { lines.push(line); resolve(); });
      child.once("error", reject).once("exit", (code) => reject(new Error(`${words[0]} ended with ${code}`)));
    });
    return { said: JSON.parse(lines[0]!), last: async () => { await ended; return lines.at(-1)!; } };
  }
  /// Two clips in the media folder, recorded for another store.
  clips(): string[] {
    execFileSync(this.path, ["clips", join(this.folder, "clips.db"), "--questions", "1", "--seconds", "1", "--media", join(this.folder, "media")]);
    return readdirSync(join(this.folder, "media")).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
  }
  /// A finished session, repeated from its log: its result.
  replay(log: string): any { return JSON.parse(execFileSync(this.path, ["--json", "session", "--replay", log], { encoding: "utf8" })); }
  /// The log, as it is exported.
  events(): Record<string, any>[] {
    const file = join(this.folder, "events.jsonl");
    rmSync(file, { force: true });
    execFileSync(this.path, ["data", "export", "--store", this.store, "--to", "events", "--output", file]);
    return readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  }

  static async start(path: string, more: string[] = []): Promise<Collect> {
    const folder = mkdtempSync(join(tmpdir(), "rlhf-web-"));
    const child = spawn(path, ["--json", "collect", join(folder, "feedback.db"), "--port", "0", "--runs", folder, ...more], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once("line", resolve);
      child.once("error", reject).once("exit", (code) => reject(new Error(`${path} collect ended with ${code}`)));
    });
    return new Collect(path, (JSON.parse(line) as { url: string }).url, child, folder);
  }
  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null && this.child.kill()) await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Desk {
  private readonly asked: string[] = [];
  private constructor(readonly server: FeedbackServer | null, readonly url: string, readonly browser: Browser, readonly collect: Collect | null) {}

  /// `flags`: of `rlhf collect`, beyond the usual.
  static async open(...flags: string[]): Promise<Desk> {
    const server = real ? null : new FeedbackServer();
    const collect = program && !process.env.RLHF_SERVER ? await Collect.start(program, flags) : null;
    const url = process.env.RLHF_SERVER ?? collect?.url ?? (await server!.start());
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
    return new Desk(server, url, browser, collect);
  }
  async close(): Promise<void> {
    await this.browser.close();
    this.server?.stop();
    await this.collect?.stop();
  }

  /// Publishes questions and opens the page in a fresh browser profile, by a fresh annotator.
  async ask(...asked: Asked[]): Promise<{ page: Page; ids: string[] }> {
    // A browser hangs up a moment after its page is closed; until then the server asks the page that waited there.
    if (real) await new Promise((resolve) => setTimeout(resolve, 300));
    const rows = asked.map(record);
    const sent = await fetch(`${this.url}/api/owner/questions`, { method: "POST", body: rows.map((row) => JSON.stringify(row)).join("\n"), headers: { "Content-Type": "application/x-ndjson", ...(await this.token()) } });
    if (!sent.ok) throw new Error(await sent.text());
    this.asked.push(...rows.map((row) => String(row.id)));
    return { page: await this.page(), ids: rows.map((row) => String(row.id)) };
  }
  async token(): Promise<Record<string, string>> {
    return { "X-CSRF-Token": ((await (await fetch(`${this.url}/api/session`)).json()) as { csrf: string }).csrf };
  }
  async page(options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 860 }, reducedMotion: "reduce", ...options });
    if (real) await context.addCookies([{ name: "rlhf_name", value: `tester-${randomUUID().slice(0, 8)}`, url: this.url }]); // holds nothing yet
    const page = await context.newPage();
    page.setDefaultTimeout(10_000); // a busy machine, not a slow page
    await page.goto(this.url);
    await page.waitForSelector("main");
    return page;
  }

  /// All answers that stand to a question.
  async answers(id: string): Promise<{ question: Question; answer: Answer }[]> {
    return ((await (await fetch(`${this.url}/api/owner/search?question=${id}`)).json()) as { entries: { question: Question; answer: Answer }[] }).entries;
  }
  /// The answer that stands to a question, and the question in the order in which the answer counts.
  async arrived(id: string): Promise<{ question: Question; answer: Answer }> {
    for (let tries = 0; tries < 60; ++tries) {
      const [entry] = await this.answers(id);
      if (entry) return entry;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no answer to ${id} arrived`);
  }
  /// Names of two clips that the page can play.
  async clips(): Promise<string[]> { return this.collect?.clips() ?? ["clip0", "clip1"]; }
  /// Values of the presses of a session that are stored and were not taken back.
  signals(session: string): number[] {
    if (this.server) return this.server.signals.filter((each) => each.session === session).map((each) => each.value);
    const all = this.collect!.events().map((each) => each.signal ?? each.body ?? each).filter((each) => each.session === session && each.tick !== undefined);
    const undone = new Set(all.map((each) => each.undoes));
    return all.filter((each) => !each.undoes && !undone.has(each.number)).map((each) => each.value);
  }
  /// The answer to a question as the store has it.
  stored(question: string): any { return this.collect!.events().find((each) => each.question === question && (each.body ?? each.answer)?.said)?.body; }
  /// Takes back questions that a test left open.
  async clear(): Promise<void> {
    if (this.server) return this.server.forget();
    for (const question of this.asked.splice(0)) {
      await fetch(`${this.url}/api/owner/requeue`, { method: "POST", body: JSON.stringify({ question, withdrawn: true, reason: "test over" }), headers: { "Content-Type": "application/json", ...(await this.token()) } });
    }
  }
}

export const shown = async (page: Page, id: string) => page.waitForSelector(`main[data-question="${id}"]:not(:has([aria-busy="true"]))`);
export const keys = async (page: Page, ...pressed: string[]) => { for (const key of pressed) await page.keyboard.press(key); };
export const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });

/// Faults that axe-core finds on the page in a colour scheme, in words. The browser repaints a changed scheme element by element, so
/// what is found at once is looked at again.
export async function faults(page: Page, colorScheme: "light" | "dark"): Promise<string[]> {
  await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
  for (let tries = 0; ; ++tries) {
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
    const found = await AxeBuilder.faults(page);
    if (!found.length || tries === 3) return found;
    await page.waitForTimeout(500);
  }
}
export { forms };
