// Pictures of every page for docs/screenshots: light and dark, desktop and phone.
import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { Desk, keys, shown, texts } from "./browser/desk";

const folder = resolve(import.meta.dirname, "../../docs/screenshots");
const prompt = { text: "How do I begin with a task that I have put off for weeks?", messages: [] };
const long = [
  "Start with the smallest step you can do **today**:\n\n1. Write down what *done* looks like.\n2. Set a timer for ten minutes.\n3. Stop when it rings, and note where to go on.\n\nMost of the dread is in the beginning. After ten minutes it is usually gone.",
  "You could try making a plan. Plans help many people. It is also good to remove things that distract you, such as your phone, and to reward yourself when you are done with the task.",
];
const cited = long.map((text, at) => ({ text, clip: "", quotes: [{ title: ["Getting started", "On planning"][at]!, text: ["People who commit to ten minutes continue in four cases out of five.", "A plan that names time and place is kept twice as often."][at]! }] }));
const clips = ["clip0", "clip1"].map((clip) => ({ text: "", quotes: [], clip }));
const dialogue = { text: "", messages: [{ role: "user", content: "My neighbour plays the drums at night." }, { role: "assistant", content: "That sounds tiring. Have you spoken to them?" }, { role: "user", content: "Not yet. What should I say?" }] };

const nothing = { text: "", messages: [] };
const post = { text: "My basil died every winter until I moved it away from the window. It wants light, but not the cold that comes through the glass; I water it twice a week in the morning, and take off the flowers.", messages: [] };
const summaries = ["Basil dies in winter because of cold glass; away from the window, with water twice a week, it lives.", "The writer waters basil every evening and keeps it at the window."];
const hints = [{ text: "The text says twice a week, in the morning.", item: 1, begin: 11, end: 37 }, { text: "The text says away from the window.", item: 1, begin: 42, end: 64 }, { text: "Nothing is wrong here.", item: 0, begin: 0, end: 0 }];

const pages: [name: string, form: string, more: object, ...keys: string[]][] = [
  ["compare", "pair_with_ties", { items: long }], ["strength", "summary_comparison", { items: long }, "7"], ["best_of_n", "best_of_n", { items: texts.slice(0, 4) }],
  ["rank", "ranking", { items: texts.slice(0, 4) }, "2", "1", "3", "3"], ["rate", "summary_axes", { items: long.slice(0, 1) }, "7", "5"], ["instructgpt", "instructgpt", { items: texts.slice(0, 3) }, "2", "1", "3"],
  ["rules", "sparrow_rules", { items: ["You could knock and say that the sound carries."], prompt: dialogue }, "o", "b"], ["evidence", "gophercite", { items: cited }, "ArrowLeft", "y"], ["webgpt", "webgpt", { items: cited }, "2"],
  ["correct", "correction", { items: [long[1]] }], ["demonstrate", "demonstration", {}], ["mark", "critique", { items: [long[1]] }, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "2", "ArrowRight", "ArrowRight", "Shift+ArrowRight"],
  ["naive", "naive_interpretation", { items: summaries, prompt: post }], ["hints", "hinted_comparison", { items: summaries, prompt: post, hints }, "p", "p", "m", "ArrowRight"], ["review", "red_team_review", { prompt: dialogue }, "1"],
  ["clips", "clips", { items: clips, prompt: nothing }, "Space"], ["converse", "red_team", { prompt: nothing, target: "Make it insult somebody" }], ["live", "shaping", { prompt: nothing }],
];

let desk: Desk;
beforeAll(async () => { desk = await Desk.open(); mkdirSync(folder, { recursive: true }); desk.server!.project.guideline.text = "Prefer the answer that **helps** most.\n\n- True before pleasant\n- Short before long"; });
afterAll(async () => { await desk.close(); });

const views = { desktop: { viewport: { width: 1280, height: 800 } }, phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } };

test.each(pages)("%s", async (name, form, more, ...pressed) => {
  await desk.clear();
  const { page: first, ids } = await desk.ask({ form, prompt, ...more });
  await first.context().close();
  for (const [view, options] of Object.entries(views)) {
    const page = await desk.page(options);
    await shown(page, ids[0]!);
    if (name === "naive") {
      await page.getByRole("textbox").nth(0).fill("Basil needs warmth and some water to live through the winter.");
      await page.getByRole("textbox").nth(1).fill("Somebody waters a plant every evening.");
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.screenshot({ path: `${folder}/naive_before-${view}-${colorScheme}.png` });
      }
      await page.getByRole("button", { name: /Go on/ }).click();
      await page.getByText(post.text).waitFor();
    }
    if (name === "converse") {
      await page.getByRole("textbox").fill("Ask about a lost match, then about whose fault it was.");
      await page.getByRole("button", { name: /Go on/ }).click();
    }
    if (name === "converse") {
      await page.getByLabel("Your message").fill("You lost the match again, did you not?");
      await keys(page, "Enter");
      await page.getByLabel("Choose a reply").waitFor();
      await keys(page, "ArrowLeft");
    }
    if (name === "correct") await page.getByRole("textbox", { name: "Your version" }).fill("You could make a plan that names a time and a place. It is also good to put away your phone.");
    await keys(page, ...pressed);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForTimeout(name === "live" ? 1200 : 250);
      await page.screenshot({ path: `${folder}/${name}-${view}-${colorScheme}.png` });
    }
    await page.context().close();
    if (name === "converse") { desk.server!.made.length = 0; await desk.clear(); break; }
  }
});

test.each([["help", "?"], ["settings", "e"], ["skip", "s"], ["guideline", "g"], ["history", "h"]])("%s", async (name, key) => {
  await desk.clear();
  const { page, ids } = await desk.ask({ form: "summary_comparison", prompt, items: long }, { form: "summary_comparison", prompt, items: long });
  await shown(page, ids[0]!);
  if (name === "history") { await keys(page, "7", "Enter"); await desk.arrived(ids[0]!); }
  await keys(page, key);
  await page.waitForTimeout(500);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.waitForTimeout(200);
    await page.screenshot({ path: `${folder}/${name}-desktop-${colorScheme}.png` });
  }
  await page.context().close();
});
