// Pictures of the owner's pages for docs/screenshots: `npm run screenshots`.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { expect, test } from "vitest";
import { startFixture } from "./owner_fixture";

const out = process.env.RLHF_SCREENSHOTS ?? join(import.meta.dirname, "../../docs/screenshots");
const browser = { executablePath: process.env.RLHF_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] };

async function answers(page: Page) { await page.locator("tbody .link").nth(1).click(); await page.getByRole("switch", { name: "Mark differences" }).last().check({ force: true }); }
async function person(page: Page) { await page.getByRole("button", { name: "dario" }).click(); }
async function chat(page: Page) {
  await page.getByRole("switch", { name: "Two answers" }).check({ force: true });
  await page.getByRole("textbox", { name: "Message" }).fill("How do I keep basil alive through the winter?");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "A is better" }).waitFor();
}
async function prompt(page: Page) { await page.getByRole("radio", { name: "One prompt over time" }).check({ force: true }); }

const pages: [name: string, path: string, act?: (page: Page) => Promise<void>][] = [
  ["overview", "/owner"], ["queue", "/owner/queue"], ["answers", "/owner/answers", answers], ["disagreements", "/owner/disagreements"], ["agreement", "/owner/agreement"],
  ["annotators", "/owner/annotators"], ["annotator", "/owner/annotators", person], ["reward", "/owner/reward"], ["guideline", "/owner/guideline"], ["export", "/owner/export"], ["projects", "/owner/projects"],
  ["runs", "/runs"], ["run", "/runs/preferences-small"], ["samples", "/runs/preferences-small/samples", prompt], ["settings", "/runs/preferences-small/settings"], ["chat", "/chat", chat],
];
const looks = [
  { name: "light", colorScheme: "light" as const, viewport: { width: 1360, height: 860 }, only: /./ },
  { name: "dark", colorScheme: "dark" as const, viewport: { width: 1360, height: 860 }, only: /./ },
  { name: "phone", colorScheme: "light" as const, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, only: /^(overview|queue|run|chat|annotators|agreement)$/ },
];

test("pictures", async () => {
  mkdirSync(out, { recursive: true });
  const fixture = await startFixture();
  const chrome = await chromium.launch(browser);
  let made = 0;
  for (const { name: look, only, ...options } of looks) {
    const context = await chrome.newContext({ ...options, reducedMotion: "reduce", timezoneId: "UTC" });
    for (const [name, path, act] of pages.filter(([name]) => only.test(name))) {
      const page = await context.newPage();
      await page.goto(fixture.url + path);
      await page.locator("h1").first().waitFor();
      await page.waitForTimeout(400);
      await act?.(page);
      await page.waitForTimeout(400);
      await page.screenshot({ path: join(out, `owner-${name}-${look}.png`) });
      ++made;
      await page.close();
    }
    await context.close();
  }
  await chrome.close();
  await fixture.close();
  expect(made).toBe(38);
});
