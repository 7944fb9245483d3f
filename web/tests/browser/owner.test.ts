// The owner's pages, the runs and the chat in a real browser: by mouse, by keyboard, for screen readers, and with hostile texts.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Fixture, startFixture } from "../owner_fixture";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const paths = ["", "/queue", "/answers", "/disagreements", "/agreement", "/annotators", "/reward", "/guideline", "/export", "/projects"].map((path) => `/owner${path}`)
  .concat("/runs", "/runs/preferences-small", "/runs/preferences-small/samples", "/runs/preferences-small/settings", "/chat");

let chrome: Browser;
let plain: Fixture;
beforeAll(async () => {
  chrome = await chromium.launch({ executablePath: process.env.RLHF_CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
  plain = await startFixture();
});
afterAll(async () => {
  await chrome?.close();
  await plain?.close();
});

async function open(path: string, fixture = plain, options: Parameters<Browser["newPage"]>[0] = {}): Promise<Page> {
  const page = await chrome.newPage({ reducedMotion: "reduce", viewport: { width: 1280, height: 860 }, ...options });
  page.setDefaultTimeout(8000);
  await page.goto(fixture.url + path);
  await page.locator("h1").first().waitFor();
  await page.locator(".waiting").waitFor({ state: "detached" });
  return page;
}

async function faults(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const result = await (window as any).axe.run(document, { resultTypes: ["violations"] });
    return result.violations.map((each: any) => `${each.id}: ${each.nodes.slice(0, 2).map((node: any) => node.html.slice(0, 120)).join(" | ")}`);
  });
}
const sentTo = (path: string) => plain.sent.filter((each) => each.path === path).map((each) => each.body);

describe.each(["light", "dark"] as const)("accessible in %s", (colorScheme) => {
  test.each(paths)("%s", async (path) => {
    const page = await open(path, plain, { colorScheme });
    expect(await faults(page)).toEqual([]);
    await page.close();
  });
});

test("on a phone nothing is wider than the screen, and the pages are behind a button", { timeout: 90_000 }, async () => {
  const viewport = { width: 360, height: 740 };
  for (const path of paths) {
    const page = await open(path, plain, { viewport });
    const wide = await page.evaluate((width) => document.documentElement.scrollWidth > width
      ? [...document.querySelectorAll("#page *")].filter((each) => each.getBoundingClientRect().right > width && !each.closest(".scroll")).map((each) => each.outerHTML.slice(0, 90)) : [], viewport.width);
    expect(wide, path).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), path).toBeLessThanOrEqual(viewport.width);
    await page.close();
  }
  const page = await open("/owner", plain, { viewport });
  await page.getByRole("button", { name: "Pages" }).click();
  await page.getByRole("link", { name: "Agreement", exact: true }).click();
  await page.getByRole("heading", { name: "Agreement", level: 1 }).waitFor();
  await page.close();
});

describe("hostile texts are shown as letters", () => {
  let hostile: Fixture;
  beforeAll(async () => { hostile = await startFixture({ hostile: true }); });
  afterAll(() => hostile.close());
  test.each(paths)("%s", async (path) => {
    const page = await open(path, hostile);
    if (path === "/owner/answers") await page.locator("tbody .link").first().click();
    if (path === "/chat") {
      await page.getByRole("textbox", { name: "Message" }).fill("x");
      await page.keyboard.press("Enter");
      await page.getByText("onerror").first().waitFor();
    }
    await page.waitForTimeout(150);
    expect(await page.evaluate(() => (window as any).hacked)).toBeUndefined();
    expect(await page.locator("#page script, img[onerror], a[href^='javascript']").count()).toBe(0);
    if (/queue|answers|disagreements|samples|guideline|annotators/.test(path)) expect(await page.getByText("onerror").count()).toBeGreaterThan(0);
    await page.close();
  });
});

describe("the queue", () => {
  test("filter, select and withdraw by keyboard alone", async () => {
    const page = await open("/owner/queue");
    await page.getByRole("radio", { name: "Flagged" }).focus();
    await page.keyboard.press("Space");
    await page.waitForFunction(() => [...document.querySelectorAll("tbody tr")].every((row) => row.textContent!.includes("Flagged")));
    await page.getByRole("checkbox").nth(1).focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Change…" }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("radio", { name: "Withdraw" }).focus();
    await page.keyboard.press("Space");
    await page.getByLabel("Reason").focus();
    await page.keyboard.type("asked twice");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(sentTo("/api/owner/requeue").at(-1)).toEqual({ question: "q-0005", reason: "asked twice", withdrawn: true });
    await page.close();
  });
  test("pages on", async () => {
    const page = await open("/owner/queue");
    await page.getByRole("button", { name: "Show more" }).click();
    await page.waitForFunction(() => document.querySelectorAll("tbody tr").length === 100);
    await page.close();
  });
  test("adds the good lines of a file and names the bad ones", async () => {
    const page = await open("/owner/queue");
    await page.getByRole("button", { name: "Add questions" }).click();
    await page.locator("input[type=file]").setInputFiles({ name: "new.jsonl", mimeType: "application/x-ndjson", buffer: Buffer.from('{"prompt": {"text": "a"}}\nbroken\n{"prompt": {"text": "b"}}\n') });
    await page.getByText("Line 2 is no JSON").waitFor();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("2 questions added").first().waitFor();
    expect(sentTo("/api/owner/questions").at(-1).questions).toHaveLength(2);
    await page.close();
  });
});

describe("annotators", () => {
  test("a new one gets a password that is shown once", async () => {
    const page = await open("/owner/annotators");
    await page.getByRole("button", { name: "Add annotator" }).click();
    await page.getByLabel("Name").fill("eve");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    const shown = await page.locator(".secret").innerText();
    expect(sentTo("/api/owner/annotators").at(-1)).toMatchObject({ name: "eve", role: "annotator", password: shown });
    await page.getByRole("button", { name: "Done" }).click();
    expect(await page.getByText(shown).count()).toBe(0);
    await page.close();
  });
  test("erasing asks for the name", async () => {
    const page = await open("/owner/annotators");
    await page.getByRole("button", { name: "chen" }).click();
    await page.getByRole("button", { name: "Erase…" }).click();
    const erase = page.getByRole("button", { name: "Erase", exact: true });
    await page.getByLabel("Reason").fill("asked to be forgotten");
    expect(await erase.isDisabled()).toBe(true);
    await page.getByLabel("Type chen to confirm").fill("chen");
    await erase.click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    expect(sentTo("/api/owner/erase").at(-1)).toEqual({ annotator: "chen", reason: "asked to be forgotten" });
    await page.waitForFunction(() => ![...document.querySelectorAll("tbody th")].some((cell) => cell.textContent === "chen"));
    await page.close();
  });
  test("a viewer changes nothing", async () => {
    const viewer = await startFixture({ role: "viewer" });
    const page = await open("/owner/annotators", viewer);
    expect(await page.getByRole("button", { name: "Add annotator" }).count()).toBe(0);
    await page.close();
    await viewer.close();
  });
});

test("a search finds answers and opens one with its differences", async () => {
  const page = await open("/owner/answers");
  await page.getByRole("searchbox", { name: "Words" }).fill("moby-dick");
  await page.waitForFunction(() => [...document.querySelectorAll("tbody tr")].every((row) => row.textContent!.includes("Moby-Dick")));
  await page.locator("tbody .link").first().click();
  await page.getByRole("switch", { name: "Mark differences" }).check({ force: true });
  expect(await page.locator("dialog mark").count()).toBeGreaterThan(1);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.close();
});

test("a guideline is published under a new version, and questions are asked again", async () => {
  const own = await startFixture();
  const page = await open("/owner/guideline", own);
  await page.getByLabel("Text (Markdown)").fill("Prefer the **true** one.");
  await page.locator(".preview strong", { hasText: "true" }).waitFor();
  await page.getByRole("switch", { name: "Ask again" }).check({ force: true });
  await page.getByRole("button", { name: "Publish" }).click();
  await page.getByText("Version 4 in force").waitFor();
  expect(own.sent.at(-1)!.body).toEqual({ kind: "guideline", name: "guideline", version: "4", text: "Prefer the **true** one.", ask_again: true });
  await page.close();
  await own.close();
});

describe("runs", () => {
  test("charts are read by keyboard, smoothed, and have their numbers in a table", async () => {
    const page = await open("/runs/preferences-small");
    const kl = page.getByRole("img", { name: /^Distance from the start/ });
    await kl.focus();
    await page.keyboard.press("Home");
    await page.getByText("Step 0: Training 0, Held-out 0").first().waitFor({ state: "attached" });
    await page.keyboard.press("ArrowRight");
    await page.getByText("Step 1: Training 0.393").first().waitFor({ state: "attached" });
    await page.getByRole("switch", { name: "Logarithmic" }).check({ force: true });
    await page.getByText(/have no place on a logarithmic axis/).first().waitFor();
    await page.getByLabel("Distance from the start: as a table").click();
    await expect.poll(() => page.getByRole("region", { name: "Distance from the start, values" }).locator("tbody tr").count()).toBe(31);
    await page.close();
  });
  test("samples of one prompt over time", async () => {
    const page = await open("/runs/preferences-small/samples");
    await page.getByRole("radio", { name: "One prompt over time" }).check({ force: true });
    expect(await page.locator(".timeline > li").allInnerTexts()).toHaveLength(3);
    await page.close();
  });
  test("any other metric can be shown", async () => {
    const page = await open("/runs/preferences-small");
    await page.getByRole("searchbox", { name: "Find a metric" }).fill("ratio_max");
    await page.getByRole("button", { name: "val/ratio_max" }).click();
    await page.getByRole("img", { name: /^val\/ratio_max/ }).waitFor();
    await page.close();
  });
});

describe("the chat", () => {
  test("two answers, chosen by arrow key, starred, and both stored", async () => {
    const page = await open("/chat");
    await page.getByRole("switch", { name: "Two answers" }).check({ force: true });
    await page.getByRole("textbox", { name: "Message" }).fill("basil?");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "B is better" }).waitFor();
    await page.keyboard.press("ArrowRight");
    await page.locator(".candidate.chosen").waitFor();
    await expect.poll(() => sentTo("/api/chat/feedback").at(-1)).toMatchObject({ chosen: 1, messages: [{ role: "user", content: "basil?" }] });
    await page.getByRole("radio", { name: "4 stars" }).check({ force: true });
    await expect.poll(() => sentTo("/api/chat/feedback").at(-1)).toMatchObject({ chosen: 1, stars: 4 });
    await page.close();
  });
  test("an answer can be stopped", async () => {
    const page = await open("/chat");
    await page.getByRole("textbox", { name: "Message" }).fill("slowly");
    await page.keyboard.press("Enter");
    await page.locator(".writing").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Send" }).waitFor();
    const text = await page.locator(".answer").innerText();
    expect(text.split(" ").length).toBeLessThan(15);
    await page.waitForTimeout(400);
    expect(await page.locator(".answer").innerText()).toBe(text);
    await page.close();
  });
});

test("whoever answers questions never downloads the owner's code or the charts", async () => {
  const page = await chrome.newPage();
  const fetched: string[] = [];
  page.on("request", (request) => fetched.push(new URL(request.url()).pathname));
  await page.goto(plain.url + "/history");
  await page.waitForTimeout(600);
  expect(fetched.filter((path) => /owner|runs|chat|Chart|Run-/.test(path) && path.startsWith("/assets"))).toEqual([]);
  expect(fetched.some((path) => path.startsWith("/assets/index"))).toBe(true);
  await page.close();
});
