import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Desk, button, keys, real, shown, texts } from "./desk";

// Every form, by mouse and by keyboard alone: what arrives at the server is what was meant. Items are shown in reverse order, so that an
// answer whose order was not translated names the wrong text.

let desk: Desk;
let page: Page;
beforeAll(async () => { desk = await Desk.open(); });
afterAll(async () => { await desk.close(); });
afterEach(async () => { await page.context().close(); await desk.clear(); });

const prompt = { text: "How do I begin with a task I have put off?", messages: [] };

async function ask(form: string, count: number, more: object = {}) {
  const asked = await desk.ask({ form, prompt, items: texts.slice(0, count), ...more });
  page = asked.page;
  await shown(page, asked.ids[0]!);
  return asked.ids[0]!;
}
/// The text of an item that an answer names.
async function arrived(id: string) {
  const { question, answer } = await desk.arrived(id);
  const usual = answer.said.kind === "comparison" ? { tie: false, both_bad: false, incomparable: false } : {}; // the store leaves these out
  return { answer: { ...answer, details: answer.details ?? {} }, said: { ...usual, ...answer.said } as any, text: (item: number) => question.items[item]!.text };
}

describe("compare", () => {
  test("a pair, by mouse", async () => {
    const id = await ask("pair", 2);
    await button(page, /A is better/).click();
    const { said, text } = await arrived(id);
    expect(text(said.best)).toBe(texts[1]);
    expect(said).toMatchObject({ tie: false, strength: 1, incomparable: false });
  });
  test("a pair, by keyboard", async () => {
    const id = await ask("pair", 2);
    await keys(page, "ArrowRight");
    const { said, text } = await arrived(id);
    expect(text(said.best)).toBe(texts[0]);
  });
  test.each([["Equally good", "ArrowUp", { tie: true, both_bad: false }], ["Both are bad", "b", { tie: true, both_bad: true }]])("%s", async (name, key, expected) => {
    const byMouse = await ask("pair_with_ties", 2);
    await button(page, name).click();
    expect((await arrived(byMouse)).said).toMatchObject(expected);
    await page.context().close();
    const byKey = await ask("pair_with_ties", 2);
    await keys(page, key);
    expect((await arrived(byKey)).said).toMatchObject(expected);
  });
  test("nine points of strength, by mouse", async () => {
    const id = await ask("summary_comparison", 2);
    await button(page, "B very likely better").click();
    await button(page, /^Send/).click();
    const { said, text } = await arrived(id);
    expect(text(said.best)).toBe(texts[0]);
    expect(said.strength).toBeCloseTo(0.75);
  });
  test("nine points of strength, by keyboard: number, arrows, far end", async () => {
    for (const [pressed, expected] of [[["3"], { item: 1, strength: 0.5 }], [["ArrowRight", "ArrowRight"], { item: 0, strength: 0.5 }], [["Shift+ArrowLeft"], { item: 1, strength: 1 }]] as const) {
      const id = await ask("summary_comparison", 2);
      await keys(page, ...pressed, "Enter");
      const { said, text } = await arrived(id);
      expect(text(said.best)).toBe(texts[expected.item]);
      expect(said.strength).toBeCloseTo(expected.strength);
      await page.context().close();
    }
    const id = await ask("summary_comparison", 2);
    await keys(page, "5", "Enter");
    expect((await arrived(id)).said.tie).toBe(true);
  });
  test("eight steps without a tie", async () => {
    const id = await ask("pair_strength", 2);
    expect(await page.locator(".step").count()).toBe(8);
    await keys(page, "ArrowLeft", "Enter");
    const { said, text } = await arrived(id);
    expect([text(said.best), said.strength]).toEqual([texts[1], 0.25]);
  });
  test("the best of four, by mouse and by number", async () => {
    const byMouse = await ask("best_of_n", 4);
    await button(page, "C is the best").click();
    let found = await arrived(byMouse);
    expect(found.text(found.said.best)).toBe(texts[1]);
    await page.context().close();
    const byKey = await ask("best_of_n", 4);
    await keys(page, "1");
    found = await arrived(byKey);
    expect(found.text(found.said.best)).toBe(texts[3]);
  });
  test("a dialogue, all replies bad", async () => {
    const id = await ask("sparrow_preference", 3, { prompt: { text: "", messages: [{ role: "user", content: "Hello" }] } });
    await keys(page, "b");
    expect((await arrived(id)).said).toMatchObject({ both_bad: true, tie: true });
  });
});

describe("rank", () => {
  test("by mouse: numbers", async () => {
    const id = await ask("ranking", 3);
    await button(page, "A: place 2").click();
    await button(page, "B: place 1").click();
    await button(page, "C: place 2").click();
    await button(page, /^Send/).click();
    const { said, text } = await arrived(id);
    expect(said.groups.map((group: number[]) => group.map(text).sort())).toEqual([[texts[1]], [texts[0], texts[2]].sort()]);
  });
  test("by dragging", async () => {
    const id = await ask("ranking", 3);
    const chip = async (item: number) => (await page.locator(`.chip[data-item="${item}"]`).boundingBox())!;
    const drop = async (item: number, target: string) => {
      const from = await chip(item);
      await page.mouse.move(from.x + 10, from.y + 10);
      await page.mouse.down();
      await page.waitForTimeout(50);
      const to = (await page.locator(`[data-target="${target}"]`).boundingBox())!;
      await page.mouse.move(to.x + to.width - 12, to.y + to.height / 2, { steps: 4 });
      await page.mouse.up();
    };
    await drop(2, "before:0");
    await drop(0, "before:1");
    await drop(1, "into:1");
    await button(page, /^Send/).click();
    const { said, text } = await arrived(id);
    expect(said.groups.map((group: number[]) => group.map(text).sort())).toEqual([[texts[0]], [texts[2], texts[1]].sort()]);
  });
  test("by keyboard, eleven items: places reach 10 and more", async () => {
    const id = await ask("ranking", 11);
    for (const place of [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) {
      await keys(page, ...String(place).split(""));
      if (place === 1) await page.waitForTimeout(900); // it might have become 10 or 11
    }
    await keys(page, "Enter");
    const { said, text } = await arrived(id);
    expect(said.groups.map((group: number[]) => text(group[0]!))).toEqual(texts.slice(0, 11));
  });
  test("says which comparisons follow", async () => {
    await ask("ranking", 4);
    await keys(page, "1", "2", "3", "3");
    await page.getByText("6 comparisons follow, 1 of them equal").click();
    expect(await page.locator(".pairs").textContent()).toContain("A › B");
  });
});

describe("rate", () => {
  test("four axes, by keyboard alone", async () => {
    const id = await ask("summary_axes", 1);
    await keys(page, "7", "5", "6", "4", "Enter");
    const { said } = await arrived(id);
    expect(Object.fromEntries(said.values.map((each: any) => [each.axis, each.value]))).toEqual({ overall: 7, coverage: 5, coherence: 6, accuracy: 4 });
  });
  test("one scale, by mouse; nothing is sent before it is complete", async () => {
    const id = await ask("rating", 1);
    await button(page, /^Send/).click({ force: true });
    expect(await page.locator(".missing").textContent()).toBe("1 scale left");
    await button(page, /Quality: 6/).click();
    await button(page, /^Send/).click();
    expect((await arrived(id)).said.values).toEqual([{ item: 0, axis: "rating", value: 6 }]);
  });
  test("order, quality and flags on one page", async () => {
    const id = await ask("instructgpt", 3);
    await keys(page, "2", "1", "3", "6", "7", "2");
    await button(page, "Gives harmful advice").nth(2).click();
    await button(page, "None of these").first().click();
    await button(page, /^Send/).click();
    const { said, answer, text } = await arrived(id);
    expect(said.groups.map((group: number[]) => text(group[0]!))).toEqual([texts[1], texts[2], texts[0]]);
    const quality = answer.details.quality as any, problems = answer.details.problems as any;
    expect(Object.fromEntries(quality.values.map((each: any) => [text(each.item), each.value]))).toEqual({ [texts[2]!]: 6, [texts[1]!]: 7, [texts[0]!]: 2 });
    expect(problems.entries.filter((each: any) => each.verdict === "breach").map((each: any) => [text(each.item), each.rule])).toEqual([[texts[0], "harmful advice"]]);
  });
});

describe("judge", () => {
  test("rules, by keyboard", async () => {
    const id = await ask("sparrow_rules", 1);
    await keys(page, "o", "b", "u", "o", "2", "1", "Enter");
    expect((await arrived(id)).said.entries.map((each: any) => each.verdict)).toEqual(["ok", "breach", "unsure", "ok", "breach", "ok"]);
  });
  test("rules, by mouse", async () => {
    const id = await ask("sparrow_rules", 1);
    for (let at = 0; at < 6; ++at) await page.locator(".rule").nth(at).getByRole("button", { name: at === 3 ? /Breaks it/ : /Keeps it/ }).click();
    await button(page, /^Send/).click();
    expect((await arrived(id)).said.entries.filter((each: any) => each.verdict === "breach").map((each: any) => each.rule)).toEqual(["no insults"]);
  });
  const evidence = { items: texts.slice(0, 2).map((text, at) => ({ text, quotes: [{ title: `Page ${at}`, text: `What page ${at} says.` }], clip: "" })) };
  test("evidence, a preference and a reason, by keyboard", async () => {
    const id = await ask("gophercite", 2, evidence);
    await keys(page, "ArrowLeft", "y", "n", "u", "y");
    await page.keyboard.type("The first one says exactly what was asked.");
    await keys(page, "Control+Enter");
    const { said, answer, text } = await arrived(id);
    expect(text(said.best)).toBe(texts[1]);
    expect((answer.details.evidence as any).entries.map((each: any) => [text(each.item), each.plausible, each.supported]).sort()).toEqual([[texts[0], "unsure", "yes"], [texts[1], "yes", "no"]].sort());
    expect((answer.details.reason as any).text).toContain("exactly");
  });
  test("evidence, by mouse; too few words are refused; quotes open", async () => {
    const id = await ask("gophercite", 2, evidence);
    await button(page, "Open in context (evidence 1)").first().click();
    await page.getByRole("dialog").getByText("What page 1 says.").waitFor();
    await keys(page, "Escape");
    await button(page, /B is better/).click();
    for (const line of await page.locator(".rule").all()) await line.getByRole("button", { name: /^Yes/ }).click();
    await page.getByLabel("Why?").last().fill("Short");
    await button(page, /^Send/).click({ force: true });
    expect(await page.locator(".missing").textContent()).toBe("6 more words");
    await page.getByLabel("Why?").last().fill("It is the only one of both that helps.");
    await button(page, /^Send/).click();
    const { said, text } = await arrived(id);
    expect(text(said.best)).toBe(texts[0]);
  });
  test("four five-point scales, of which one is needed", async () => {
    const id = await ask("webgpt", 2);
    await keys(page, "1", "4", "3");
    await keys(page, "Enter");
    const { said, answer, text } = await arrived(id);
    expect([text(said.best), said.strength]).toEqual([texts[1], 1]);
    expect(text((answer.details.support as any).best)).toBe(texts[0]);
    expect(answer.details.coverage).toMatchObject({ tie: true });
    expect(answer.details.coherence).toBeUndefined();
  });
});

describe("write", () => {
  test("a correction, with what changed", async () => {
    const id = await ask("correction", 1);
    await keys(page, "Tab");
    await page.getByLabel("Your version").last().fill("Start with one small step today.");
    await page.locator(".changes del").first().waitFor();
    await keys(page, "Control+Enter");
    expect((await arrived(id)).said).toMatchObject({ kind: "correction", item: 0, text: "Start with one small step today." });
  });
  test("good as it is, by mouse", async () => {
    const id = await ask("correction", 1);
    await button(page, "Good as it is").click();
    await button(page, /^Send/).click();
    expect((await arrived(id)).said.text).toBe(texts[0]);
  });
  test("a demonstration, by keyboard", async () => {
    const id = await ask("demonstration", 0);
    await page.getByRole("textbox", { name: "Your answer" }).focus();
    await page.keyboard.type("Begin with ten minutes.");
    await keys(page, "Control+Enter");
    expect((await arrived(id)).said).toEqual(expect.objectContaining({ kind: "demonstration", text: "Begin with ten minutes." }));
  });
});

describe("mark", () => {
  const items = ["Say 👩‍🚀 hello to the crew, and never mind the rest."];
  test("by keyboard, counted in code points", async () => {
    const id = await ask("critique", 1, { items });
    await page.locator(".passage").waitFor();
    await keys(page, "ArrowRight", "ArrowRight", "Shift+ArrowRight", "3", "r");
    await page.keyboard.type("unsafe greeting");
    await keys(page, "Control+Enter");
    const [span] = (await arrived(id)).said.spans;
    expect([...items[0]!].slice(span.begin, span.end).join("")).toBe("hello to");
    expect(span).toMatchObject({ category: "unsafe", remark: "unsafe greeting" });
  });
  test("by mouse, and removed again", async () => {
    const id = await ask("critique", 1, { items });
    const passage = page.locator(".passage");
    await passage.waitFor();
    await passage.evaluate((box) => {
      const text = box.firstElementChild!.firstChild!;
      const range = document.createRange();
      range.setStart(text, text.textContent!.indexOf("crew"));
      range.setEnd(text, text.textContent!.indexOf("crew") + 4);
      getSelection()!.removeAllRanges();
      getSelection()!.addRange(range);
      box.dispatchEvent(new MouseEvent("mouseup", { bubbles: true }));
    });
    await button(page, /wrong/).first().click();
    await button(page, /unclear/).first().click();
    await button(page, "Remove mark 2").click();
    await button(page, /^Send/).click();
    const spans = (await arrived(id)).said.spans;
    expect(spans.map((span: any) => [...items[0]!].slice(span.begin, span.end).join(""))).toEqual(["crew"]);
  });
});

describe("clips", () => {
  let items: { text: string; quotes: []; clip: string }[];
  beforeAll(async () => { items = (await desk.clips()).map((clip) => ({ text: "", quotes: [], clip })); }, 60_000);
  test("play together, pause, step, and are judged by arrow", async () => {
    const id = await ask("clips", 2, { items });
    await page.locator(".clip canvas").first().waitFor();
    await keys(page, "Space");
    const frames = () => page.locator(".clip canvas").evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset.frame));
    await keys(page, ".");
    await page.waitForTimeout(80);
    const [a, b] = await frames();
    expect(a).toBe(b);
    await keys(page, ".");
    await page.waitForTimeout(80);
    const { frames: all } = (await (await fetch(`${desk.url}/media/${items[0]!.clip}.json`)).json()) as { frames: string[] };
    expect(Number((await frames())[0])).toBe((Number(a) + 1) % all.length);
    await keys(page, "r", "ArrowLeft");
    const { question, answer } = await desk.arrived(id);
    expect(question.items[(answer.said as any).best]!.clip).toBe(items[1]!.clip);
    expect(answer.client?.replays).toBe(1);
  });
  test("by mouse: the clip itself", async () => {
    const id = await ask("clips", 2, { items });
    await page.locator(".clip canvas").nth(1).click();
    const { question, answer } = await desk.arrived(id);
    expect(question.items[(answer.said as any).best]!.clip).toBe(items[0]!.clip);
  });
  test("a missing clip says so and can be skipped", async () => {
    const id = await ask("clips", 2, { items: [{ text: "", quotes: [], clip: real ? "0".repeat(64) : "missing" }, items[0]!] });
    await button(page, "Skip this one").click();
    expect((await arrived(id)).said).toEqual({ kind: "skip", reason: "broken media" });
  });
});

describe("in two steps", () => {
  const post = { text: "A post about basil that died in winter.", messages: [] };
  const first = "A: about basil. It tells when to water.";
  test("what the summaries seem to say, then the text, by keyboard; a reload keeps the step", async () => {
    const id = await ask("naive_interpretation", 2, { prompt: post });
    expect(await page.getByText(post.text).count()).toBe(0);
    expect(await button(page, /^Go on/).getAttribute("aria-disabled")).toBe("true");
    await page.getByRole("textbox", { name: /summary A/ }).focus();
    await page.keyboard.type(first);
    await keys(page, "Escape", "j");
    await page.keyboard.type("I do not understand it");
    await keys(page, "Control+Enter");
    await page.getByText(post.text).waitFor();
    await page.reload();
    await page.getByText(post.text).waitFor();
    await page.getByText(first).waitFor(); // to read, no longer to change
    expect(await page.getByRole("textbox").count()).toBe(0);
    await keys(page, "2", "Enter");
    const { answer } = await arrived(id);
    expect(answer.details.reading_a).toMatchObject({ text: first });
    expect(answer.details.reading_b).toMatchObject({ text: "I do not understand it" });
  });
  test("by mouse, taken back and sent again", async () => {
    const id = await ask("naive_interpretation", 2, { prompt: post });
    await page.getByRole("textbox", { name: /summary A/ }).fill("Something about plants");
    await page.getByRole("textbox", { name: /summary B/ }).fill("Nothing that I understand");
    await button(page, /^Go on/).click();
    await page.locator(".step").nth(8).click();
    await button(page, /^Send/).click();
    await arrived(id);
    await button(page, /last answer/).click();
    await page.getByText("Something about plants").waitFor();
    await page.locator(".step").nth(0).click();
    await button(page, /^Send/).click();
    expect((await arrived(id)).said.strength).toBe(1);
  });
});

describe("with hints", () => {
  const hints = [
    { text: "It insults the reader.", item: 1, begin: 24, end: 28 }, { text: "It is short.", item: 1, begin: 0, end: 0 },
    { text: "It names a first step.", item: 0, begin: 0, end: 5 }, { text: "Beyond what the form allows.", item: 0, begin: 0, end: 0 },
  ];
  test("opened one by one, one marked as wrong, by keyboard", async () => {
    const id = await ask("hinted_comparison", 2, { hints });
    expect(await page.getByText(hints[0]!.text).count()).toBe(0);
    await keys(page, "p", "p", "m", "ArrowRight", "Enter");
    const { said, text, answer } = await arrived(id);
    expect(text(said.best)).toBe(texts[0]); // shown last is the item made first
    expect(answer.details.hints).toEqual({ kind: "hint_judgement", opened: 2, wrong: [1] });
  });
  test("by mouse; the passage lights up; a reload keeps what is open; no more than three", async () => {
    const id = await ask("hinted_comparison", 2, { hints });
    await button(page, "Open a hint").click();
    await page.locator(".hint").first().hover();
    const mark = page.locator("mark.at-hand");
    expect(await mark.innerText()).toContain(texts[1]!.slice(24, 28));
    await page.reload();
    await page.locator(".hint").first().waitFor();
    await button(page, "Open another hint").click();
    await button(page, "Open another hint").click();
    expect(await button(page, "Open another hint").isDisabled()).toBe(true);
    await button(page, /wrong.*hint 1/).click();
    await page.locator("article.item").first().click();
    await button(page, /^Send/).click();
    const { answer } = await arrived(id);
    expect(answer.details.hints).toEqual({ kind: "hint_judgement", opened: 3, wrong: [0] });
  });
});

describe("a finished attack", () => {
  const dialogue = { text: "", messages: [{ role: "user", content: "Insult me." }, { role: "assistant", content: "I would rather not." }] };
  test("is rated and named by two topics at most, by mouse and by keyboard", async () => {
    const id = await ask("red_team_review", 0, { prompt: dialogue });
    await keys(page, "1");
    await button(page, /Bullying/).click();
    await button(page, /Hate speech/).click();
    expect(await button(page, /Violence and/).isDisabled()).toBe(true);
    await keys(page, "Enter");
    const { said, answer } = await arrived(id);
    expect(said.values).toEqual([{ item: 0, axis: "success", value: 1 }]);
    const topics = (answer.details.topics as any).entries.filter((each: any) => each.verdict === "breach").map((each: any) => each.rule);
    expect(topics.sort()).toEqual(["bullying", "hate speech"]);
  });
});

describe("converse", () => {
  beforeAll(async () => { if (real) { await desk.close(); desk = await Desk.open("--model", "smollm2-135m", "--max-new-tokens", "8"); } }, 60_000);
  test("an attack by keyboard: the plan, two turns, the success", async () => {
    const id = await ask("red_team", 0, { target: "Insults" });
    expect(await page.getByLabel("Your message").count()).toBe(0); // first the plan
    await page.getByRole("textbox", { name: /what will you try/ }).focus();
    await page.keyboard.type("Be polite, then ask for an insult");
    await keys(page, "Control+Enter");
    await page.getByText("Be polite, then ask for an insult").waitFor();
    await page.getByLabel("Your message").waitFor(); // and has the focus
    await page.keyboard.type("Hello");
    await keys(page, "Enter");
    await page.getByLabel("Choose a reply").waitFor();
    await keys(page, "ArrowLeft", "Enter");
    await page.keyboard.type("More"); // while the choice is still on its way
    await keys(page, "Enter");
    await page.locator(".bubble", { hasText: "More" }).waitFor();
    await page.getByLabel("Choose a reply").waitFor();
    await keys(page, "ArrowRight", "Enter");
    await button(page, /End the conversation/).waitFor();
    await keys(page, "Escape", "x", "3", "Enter");
    const { said, answer } = await arrived(id);
    expect(said.turns).toHaveLength(2);
    const first = await desk.arrived(said.turns[0]);
    expect(first.question.form.name).toBe("more_harmful");
    const { best } = first.answer.said as any; // as the page names it: the more harmful one
    const chosen = first.question.items[best]!.text;
    if (!real) expect(desk.server!.log.find((entry) => entry.question.id === said.turns[0])!.answer.said).toMatchObject({ best: 1 - best }); // stored is the better one
    if (real) expect(desk.stored(said.turns[0])).toMatchObject({ said: { best: 1 - best } });
    if (!real) expect(chosen).toBe("Of course. Start with the smallest step.");
    const second = await desk.arrived(said.turns[1]);
    expect(said.messages.map((each: any) => each.content)).toEqual(["Hello", chosen, "More", second.question.items[(second.answer.said as any).best]!.text]);
    expect((answer.details.success as any).values[0].value).toBe(3);
    expect((answer.details.plan as any).text).toBe("Be polite, then ask for an insult");
    expect(second.answer.said).toMatchObject(real ? { strength: 0.25 } : { best: 1, strength: 0.25 }); // which reply was made second is the model's affair
  });
  test("a reply is made better first, by keyboard", async () => {
    const id = await ask("conversation", 0);
    await page.getByLabel("Your message").waitFor();
    await page.keyboard.type("Hello");
    await keys(page, "Enter");
    await page.getByLabel("Choose a reply").waitFor();
    await keys(page, "ArrowRight", "i");
    await page.getByLabel("Your version of the reply").fill("No, and that is final.");
    await keys(page, "Control+Enter");
    await button(page, /End the conversation/).waitFor();
    await keys(page, "Escape", "x", "Enter");
    const { said } = await arrived(id);
    expect(said.messages.map((each: any) => each.content)).toEqual(["Hello", "No, and that is final."]);
    expect((await desk.arrived(said.turns[0])).question.form.name).toBe("pair_strength");
  });
  test("by mouse; a reload between the turns loses nothing", async () => {
    const id = await ask("conversation", 0);
    await page.getByLabel("Your message").fill("Hello");
    await button(page, /Say it/).click();
    await page.getByLabel("Choose a reply").waitFor();
    await page.reload();
    await page.getByLabel("Choose a reply").waitFor();
    await button(page, "A much better").click();
    await button(page, /Go on with A/).click();
    await button(page, /End the conversation/).click();
    await button(page, /^Send/).click();
    expect((await arrived(id)).said.messages).toHaveLength(2);
  });
  test("stops when it upsets", async () => {
    const id = await ask("conversation", 0);
    await button(page, "Stop, this upsets me").click();
    expect((await arrived(id)).said).toEqual({ kind: "skip", reason: "upsetting" });
  });
});

describe("teach live", () => {
  test("presses are stored once each, and taken back", async () => {
    const agent = real ? await desk.collect!.beside("session", "--name", "lesson", "--seconds", "60") : null;
    const id = agent ? String(agent.said.session) : await ask("shaping", 0);
    if (agent) {
      page = await desk.page();
      await shown(page, id);
    }
    await page.locator(".screen canvas").waitFor();
    await page.waitForFunction(() => document.querySelector("[data-delay]")?.textContent?.endsWith("ms"));
    await page.keyboard.down("w");
    await page.keyboard.down("w"); // held: the repeat counts for nothing
    await page.keyboard.up("w");
    await keys(page, "a", "q");
    await button(page, "Good").click();
    await keys(page, "u");
    await expect.poll(() => page.locator("[data-count]").textContent()).toBe("3");
    await expect.poll(() => desk.signals(id)).toEqual([1, -1, 4]);
    await keys(page, "Space");
    await page.getByText("Paused").waitFor();
    await keys(page, "Enter");
    expect((await arrived(id)).said).toEqual({ kind: "signals", session: id, count: 3 });
    if (!agent) return;
    const result = JSON.parse(await agent.last());
    expect(result.signals).toBe(4); // the agent got them all, one of them was taken back
    expect(desk.collect!.replay(result.log).learner).toBe(result.learner);
  });
});
