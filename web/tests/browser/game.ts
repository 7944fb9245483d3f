// What the tests of the page of `rlhf env play` share: the program with an environment, and a page in real Chromium.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium, type Browser, type Page } from "playwright-core";

export const program = process.env.RLHF; // there is no page without it: the environment is in the program
const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
export const openBrowser = (): Promise<Browser> => chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });

export interface Episode { environment: string; actions: number[] | number[][]; rewards: number[]; terminated: boolean; truncated: boolean }

/// `rlhf env play NAME --out shown.jsonl` in a folder of its own.
export class Game {
  readonly asked: string[] = []; // every address that the pages asked for
  private constructor(readonly url: string, readonly folder: string, private readonly child: ChildProcess) {}

  static async start(environment: string, ...flags: string[]): Promise<Game> {
    const folder = mkdtempSync(join(tmpdir(), "rlhf-play-"));
    const child = spawn(program!, ["--json", "env", "play", environment, "--port", "0", "--out", join(folder, "shown.jsonl"), ...flags], { stdio: ["ignore", "pipe", "inherit"] });
    const line = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).once("line", resolve);
      child.once("error", reject).once("exit", (code) => reject(new Error(`rlhf env play ended with ${code}`)));
    });
    return new Game((JSON.parse(line) as { url: string }).url, folder, child);
  }

  async page(browser: Browser, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(10_000);
    page.on("request", (request) => this.asked.push(request.url()));
    await page.goto(this.url);
    await page.locator("[data-step]").waitFor();
    return page;
  }

  get file(): string { return join(this.folder, "shown.jsonl"); }
  episodes(): Episode[] { return readFileSync(this.file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line)); }
  run(...words: string[]): string { return execFileSync(program!, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }); }

  /// Ends the program: with SIGKILL it has no chance to save anything.
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    const gone = new Promise<number | null>((resolve) => this.child.once("exit", resolve));
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    this.child.kill(signal);
    return gone;
  }
  async close(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const readout = async (page: Page, name: string): Promise<string> => (await page.locator(`[data-${name}]`).textContent())!.trim();

/// Waits until a readout says something else, or what is wanted.
export async function becomes(page: Page, name: string, wanted: (text: string) => boolean): Promise<string> {
  for (let tries = 0; tries < 400; ++tries) {
    const text = await readout(page, name);
    if (wanted(text)) return text;
    await page.waitForTimeout(25);
  }
  throw new Error(`${name} is still "${await readout(page, name)}"`);
}
