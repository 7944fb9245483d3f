import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { button, Desk, faults, keys, real, shown, texts } from "./desk";
import { attacks } from "./attacks";

let desk: Desk;
let page: Page;
beforeAll(async () => { desk = await Desk.open(); });
afterAll(async () => { await desk.close(); });
afterEach(async () => { await page?.context().close(); await desk.clear(); });

const items = texts.slice(0, 2);
const prompt = { text: "How do I begin?", messages: [] };

describe("nothing is lost", () => {
  test("a reload in the middle keeps the answer, the comment and the flags", async () => {
    const { page: opened, ids } = await desk.ask({ form: "summary_axes", prompt, items: items.slice(0, 1) });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "7", "5", "c");
    await page.getByRole("textbox", { name: "Comment" }).fill("half done");
    await page.reload();
    await shown(page, ids[0]!);
    expect(await page.getByRole("textbox", { name: "Comment" }).inputValue()).toBe("half done");
    await keys(page, "j", "j", "6", "4", "Enter");
    const { answer } = await desk.arrived(ids[0]!);
    expect((answer.said as any).values).toHaveLength(4);
    expect(answer.comment).toBe("half done");
    expect(answer.active_seconds).toBeGreaterThan(0);
  });

  test("answers given without a connection arrive later, once each", async () => {
    const { page: opened, ids } = await desk.ask({ form: "pair", prompt, items }, { form: "pair", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await page.waitForTimeout(500); // the next one is fetched while this one is read
    await page.context().setOffline(true);
    await keys(page, "ArrowLeft");
    await shown(page, ids[1]!);
    await keys(page, "ArrowRight");
    await page.getByText(/Offline: 2 kept here/).waitFor();
    await page.waitForTimeout(200);
    expect(await desk.answers(ids[0]!)).toHaveLength(0);
    await page.context().setOffline(false);
    await page.reload();
    expect((await desk.arrived(ids[0]!)).answer.said).toMatchObject({ best: 0 });
    expect((await desk.arrived(ids[1]!)).answer.said).toMatchObject({ best: 1 });
    for (const id of ids) expect(await desk.answers(id)).toHaveLength(1);
  });
});

describe("taking back", () => {
  test("five answers deep, and changed", async () => {
    const { page: opened, ids } = await desk.ask(...Array.from({ length: 6 }, () => ({ form: "pair", prompt, items })));
    page = opened;
    for (const id of ids.slice(0, 5)) { await shown(page, id); await keys(page, "ArrowLeft"); }
    await desk.arrived(ids[4]!);
    for (const id of ids.slice(0, 5).reverse()) { await keys(page, "z"); await shown(page, id); }
    await keys(page, "ArrowRight");
    expect((await desk.arrived(ids[0]!)).answer.said).toMatchObject({ best: 1 });
  });

  test("an earlier answer is changed from the history", async () => {
    const { page: opened, ids } = await desk.ask({ form: "pair", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "ArrowLeft");
    await desk.arrived(ids[0]!);
    await keys(page, "h");
    await button(page, /Change the answer to/).first().click();
    await button(page, /B is better/).click();
    await page.getByText("Your answer was changed").first().waitFor();
    expect((await desk.arrived(ids[0]!)).answer.said).toMatchObject({ best: 1 });
  });
});

describe("common to all questions", () => {
  test("skip with a reason, by keyboard", async () => {
    const { page: opened, ids } = await desk.ask({ form: "pair", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "s", "1");
    await page.waitForSelector(`main:not([data-question="${ids[0]}"])`);
    if (!real) expect(desk.server!.log.at(-1)!.answer.said).toEqual({ kind: "skip", reason: "cannot judge" });
  });

  test("flagging as unsafe covers the text at once", async () => {
    const { page: opened, ids } = await desk.ask({ form: "summary_comparison", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "f", "Space", "Escape");
    await page.getByText("Covered, because it was flagged.").first().waitFor();
    await keys(page, "1", "Enter");
    expect((await desk.arrived(ids[0]!)).answer.flags).toEqual(["unsafe"]);
  });

  test("the next question is there within 100 ms of the key", async () => {
    const { page: opened, ids } = await desk.ask(...Array.from({ length: 3 }, () => ({ form: "pair", prompt, items })));
    page = opened;
    await shown(page, ids[0]!);
    await page.waitForTimeout(500); // the next one is fetched while this one is read
    const spent = await page.evaluate(() => new Promise<number>((resolve) => {
      const before = document.querySelector("main")!.dataset.question;
      const begin = performance.now();
      new MutationObserver(() => { if (document.querySelector("main")?.dataset.question !== before) resolve(performance.now() - begin); }).observe(document.body, { subtree: true, childList: true, attributes: true });
      document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    }));
    expect(spent).toBeLessThan(100);
  });

  test("keys can be changed, and one that is taken is refused", async () => {
    const { page: opened, ids } = await desk.ask({ form: "pair", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "?");
    await button(page, /^Skip, with a reason/).click();
    await keys(page, "f");
    await page.getByText(/already means “Flag a problem”/).waitFor();
    await button(page, /^Towards the left one/).click();
    await keys(page, "q", "Escape");
    await keys(page, "q");
    expect((await desk.arrived(ids[0]!)).answer.said).toMatchObject({ best: 0 });
  });

  test("a qualification question shows the verdict and goes on", async () => {
    const own = real ? await Desk.open("--rounds", "first") : desk;
    const { page: opened, ids } = await own.ask({ form: "pair", prompt, items, round: "first", gold: { version: 2, said: { kind: "comparison", best: 0, tie: false, strength: 1 } }, right: 0, explanation: "It says what to *do*." }, { form: "pair", prompt, items, round: "first", gold: { version: 2, said: { kind: "comparison", best: 0, tie: false, strength: 1 } }, right: 0 });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, "ArrowLeft"); // shown first is the item made second
    await page.getByText("We see this one differently").waitFor();
    await page.locator("em", { hasText: "do" }).waitFor();
    await keys(page, "Enter");
    await shown(page, ids[1]!);
    if (own !== desk) await own.close();
  });

  test("waiting says why", async () => {
    await desk.clear();
    page = await desk.page();
    await page.getByText("All questions are answered.").waitFor();
    await page.getByText(real ? "(about 2 s)" : "(about 20 s)").waitFor();
  });
});

describe("texts of others", () => {
  test(`${attacks.length} attacks are inert in prompts, items, quotes, targets, guideline and comments`, async () => {
    const hostile = attacks.join("\n\n");
    if (desk.server) desk.server.project = { ...desk.server.project, title: attacks[0]!, guideline: { version: attacks[1]!, text: hostile }, examples: [{ title: attacks[2]!, text: hostile }] };
    const { page: opened, ids } = await desk.ask({ form: "gophercite", prompt: { text: hostile, messages: [] }, target: hostile, items: [0, 1].map(() => ({ text: hostile, quotes: [{ title: attacks[3]!, text: hostile }], clip: "" })) },
      { form: "critique", prompt: { text: "", messages: [{ role: "user", content: hostile }, { role: "assistant", content: hostile }] }, items: [hostile] });
    page = opened;
    const requests: string[] = [];
    let dialogs = 0;
    page.on("request", (request) => { if (!request.url().startsWith(desk.url)) requests.push(request.url()); });
    page.on("dialog", (dialog) => { dialogs++; void dialog.dismiss(); });
    await shown(page, ids[0]!);
    await keys(page, "g");
    await page.getByRole("dialog").waitFor();
    if (!real) await page.getByRole("tab", { name: /Examples/ }).click();
    await keys(page, "Escape", "d");
    await button(page, "Open in context (evidence 1)").first().click();
    await keys(page, "Escape", "ArrowLeft", "y", "y", "y", "y");
    await page.keyboard.type("one two three four five six seven");
    await keys(page, "Escape", "c");
    await page.getByRole("textbox", { name: "Comment" }).fill(hostile.slice(0, 2000));
    await keys(page, "Control+Enter");
    await shown(page, ids[1]!);
    await keys(page, "ArrowRight", "Shift+ArrowRight", "1");
    await page.goto(`${desk.url}/history`);
    await page.getByRole("heading", { name: "My answers" }).waitFor();
    const state = await page.evaluate(() => ({
      fired: (window as any).fired ?? 0,
      elements: document.querySelectorAll("#page script, #page iframe, #page object, #page embed, #page img, #page svg, #page form[action], #page style, #page [onerror], #page [onload], #page [onclick]").length,
      links: [...document.querySelectorAll("#page a")].filter((link) => !/^(https?:|mailto:)/.test((link as HTMLAnchorElement).href)).length,
    }));
    expect({ ...state, dialogs, requests }).toEqual({ fired: 0, elements: 0, links: 0, dialogs: 0, requests: [] });
  });
});

describe("accessible", () => {
  const cited = items.map((text) => ({ text, quotes: [{ title: "A page", text: "What it says." }], clip: "" }));
  const cases: [string, object][] = [
    ["pair_with_ties", { items }], ["summary_comparison", { items }], ["best_of_n", { items: texts.slice(0, 4) }], ["instructgpt", { items: texts.slice(0, 3) }], ["gophercite", { items: cited }],
    ["webgpt", { items }], ["sparrow_rules", { items: items.slice(0, 1) }], ["summary_axes", { items: items.slice(0, 1) }], ["correction", { items: items.slice(0, 1) }], ["demonstration", {}], ["critique", { items: items.slice(0, 1) }],
    ["clips", {}], ["naive_interpretation", { items }], ["hinted_comparison", { items, hints: [{ text: "It insults.", item: 1, begin: 0, end: 3 }] }], ["red_team_review", {}], ["red_team", { target: "Insults" }], ...(real ? [] : [["shaping", {}]] as [string, object][]), // a session's question comes with its agent
  ];
  test.each(cases)("%s: axe-core finds nothing, light and dark", async (form, more) => {
    const media = form === "clips" ? { items: (await desk.clips()).map((clip) => ({ text: "", quotes: [], clip })) } : {};
    const { page: opened, ids } = await desk.ask({ form, prompt, ...more, ...media });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, form === "hinted_comparison" ? "p" : "1");
    if (form.startsWith("pair") || form === "best_of_n" || form === "clips") {
      await desk.arrived(ids[0]!);
      await keys(page, "z");
    }
    await shown(page, ids[0]!);
    for (const colorScheme of ["light", "dark"] as const) {
      expect(await faults(page, colorScheme), colorScheme).toEqual([]);
    }
  });
  test.each([["?", "Shortcuts"], ["e", "Settings"], ["s", "Skip this question"], ["f", "Flag a problem"], ["g", "Guideline"]])("dialog %s: nothing found, focus comes back", async (key, name) => {
    const { page: opened, ids } = await desk.ask({ form: "summary_comparison", prompt, items });
    page = opened;
    await shown(page, ids[0]!);
    await keys(page, key);
    await page.getByRole("dialog", { name }).waitFor();
    for (const colorScheme of ["light", "dark"] as const) {
      expect(await faults(page, colorScheme), colorScheme).toEqual([]);
    }
    await keys(page, "Escape");
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("H1");
  });
});
