// What the browser tests share: a server with known questions, a page in real Chromium, and what arrived.
import { randomUUID } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type Page } from "playwright-core";
import { AxeBuilder } from "./axe";
import type { Answer, Form, Question } from "../../src/api";
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

type Asked = Partial<Omit<Made, "items">> & { form: string | Form; items?: (string | Made["items"][number])[] };

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
  private constructor(readonly url: string, private readonly child: ChildProcess, private readonly folder: string) {}

  static async start(path: string): Promise<Collect> {
    const folder = mkdtempSync(join(tmpdir(), "rlhf-web-"));
    const child = spawn(path, ["--json", "collect", join(folder, "feedback.db"), "--port", "0", "--runs", folder], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once("line", resolve);
      child.once("error", reject).once("exit", (code) => reject(new Error(`${path} collect ended with ${code}`)));
    });
    return new Collect((JSON.parse(line) as { url: string }).url, child, folder);
  }
  async stop(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode === null && this.child.kill()) await gone;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Desk {
  private readonly asked: string[] = [];
  private constructor(readonly server: FeedbackServer | null, readonly url: string, readonly browser: Browser, private readonly collect: Collect | null) {}

  static async open(): Promise<Desk> {
    const server = real ? null : new FeedbackServer();
    const collect = program && !process.env.RLHF_SERVER ? await Collect.start(program) : null;
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

  /// The answer that stands to a question, and the question in the order in which the answer counts.
  async arrived(id: string): Promise<{ question: Question; answer: Answer }> {
    for (let tries = 0; tries < 60; ++tries) {
      const { entries } = (await (await fetch(`${this.url}/api/owner/search?question=${id}`)).json()) as { entries: { question: Question; answer: Answer }[] };
      if (entries[0]) return entries[0];
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`no answer to ${id} arrived`);
  }
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
