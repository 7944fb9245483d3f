import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { button, faults, keys } from "./desk";
import { becomes, Game, openBrowser, program, readout } from "./game";

let browser: Browser;
let game: Game;
let page: Page;
beforeAll(async () => { browser = await openBrowser(); });
afterAll(async () => { await browser.close(); });
afterEach(async () => { await page?.context().close(); await game?.close(); });

/// Along the cliff, one step a key: the shortest safe way.
const way = ["ArrowUp", ...Array<string>(11).fill("d"), "ArrowDown"];
const steps = (text: string) => parseInt(text, 10);

describe.skipIf(!program)("a person plays", () => {
  test("what was shown by keyboard survives kill -9 and teaches an agent the same way", async () => {
    game = await Game.start("cliff_walking", "--hold_seconds", "0.1");
    page = await game.page(browser);
    await keys(page, ...way);
    await becomes(page, "tally", (text) => text.startsWith("1 episode"));
    expect(game.episodes()[0]).toMatchObject({ environment: "cliff_walking", terminated: true, actions: [0, ...Array(11).fill(1), 2] });

    await becomes(page, "episode", (text) => text === "2");
    await keys(page, "ArrowRight", ...way.slice(0, -1), "ArrowLeft", "ArrowRight", "ArrowDown"); // over the cliff first
    await becomes(page, "tally", (text) => text.startsWith("2 episodes"));
    await keys(page, "x");
    await becomes(page, "tally", (text) => text.startsWith("1 episode"));
    expect(game.episodes()).toHaveLength(1);

    await becomes(page, "episode", (text) => text === "3");
    await keys(page, ...way);
    await becomes(page, "tally", (text) => text.startsWith("2 episodes"));
    await game.end("SIGKILL");
    expect(game.episodes().map((each) => each.rewards.length)).toEqual([13, 13]);

    game.run("train", "bc", "--environment", "cliff_walking", "--demonstrations", game.file, "--output", join(game.folder, "agent"), "--epochs", "30", "--learning_rate", "0.01", "--evaluate", "10", "--threads", "1");
    const results = JSON.parse(readFileSync(join(game.folder, "agent", "results.json"), "utf8"));
    expect(results.returns).toEqual(Array(10).fill(-13));
  });

  test("a held key holds its action, in real time; none means what the page says", async () => {
    game = await Game.start("mountain_car", "--rate", "20", "--hold_seconds", "0.1", "--settings", '{"max_steps": 60}');
    page = await game.page(browser);
    await page.getByText("Press a key to begin").waitFor();
    await page.getByText("No key: do nothing").waitFor();
    await page.keyboard.down("ArrowRight");
    await becomes(page, "step", (text) => steps(text) >= 5);
    expect(await readout(page, "action")).toBe("push right");
    expect(await page.locator(".play-key.held .play-key-name").allTextContents()).toEqual(["push right"]);
    await page.keyboard.up("ArrowRight");
    await becomes(page, "action", (text) => text === "do nothing");

    await keys(page, "Space");
    await page.getByText("Space goes on").waitFor();
    const stopped = await readout(page, "step");
    await page.waitForTimeout(200);
    expect(await readout(page, "step")).toBe(stopped);
    await keys(page, "Space", "+");
    await becomes(page, "tally", (text) => text.startsWith("1 episode,"));

    const [episode] = game.episodes();
    const said = (episode!.actions as number[]).join("");
    expect(said).toMatch(/^2{5,}1+$/);
    expect(said).toHaveLength(60);
    expect(episode).toMatchObject({ terminated: false, truncated: true });
  });

  test("what has no picture is read, and words are pressed", async () => {
    game = await Game.start("waiter", "--settings", '{"forthcoming": 0}');
    page = await game.page(browser);
    const text = page.locator(".play-text");
    await text.getByText("hello .").waitFor();
    expect(await page.locator("canvas").count()).toBe(0);
    await button(page, "dish").click();
    await becomes(page, "action", (said) => said === "dish");
    await keys(page, "0");
    await becomes(page, "step", (said) => steps(said) === 2);
    expect(await text.textContent()).toMatch(/^hello \.\ndish \.\n(soup|salad|pasta) \.\n$/);
    expect(await faults(page, "light")).toEqual([]);
  });

  test("by pointer: a key on the page is held as long as it is pressed", async () => {
    game = await Game.start("mountain_car", "--rate", "40");
    page = await game.page(browser);
    await button(page, "push left").hover();
    await page.mouse.down();
    await becomes(page, "step", (text) => steps(text) >= 5);
    expect(await readout(page, "action")).toBe("push left");
    await page.mouse.up();
    await becomes(page, "action", (text) => text === "do nothing");
  });

  test("keys are let go and time stops when the page loses them", async () => {
    game = await Game.start("pendulum");
    page = await game.page(browser);
    await page.keyboard.down("d");
    await becomes(page, "action", (text) => text === "2");
    await page.evaluate(() => dispatchEvent(new Event("blur")));
    await page.getByText("Space goes on").waitFor();
    await keys(page, "Space");
    await becomes(page, "action", (text) => text === "0");
  });

  test("another page takes the game, and gives it back", async () => {
    game = await Game.start("frozen_lake");
    page = await game.page(browser);
    const other = await game.page(browser);
    await page.getByText("Another page plays now").waitFor();
    await keys(other, "ArrowRight");
    await becomes(other, "step", (text) => steps(text) === 1);
    await button(page, "Play here").click();
    await other.getByText("Another page plays now").waitFor();
    await becomes(page, "step", (text) => steps(text) === 1);
    await other.context().close();
  });

  test("start again cuts an episode, which is kept only when asked", async () => {
    game = await Game.start("taxi");
    page = await game.page(browser);
    await keys(page, "ArrowUp", "ArrowLeft");
    await becomes(page, "step", (text) => steps(text) === 2);
    await keys(page, "r");
    await page.getByText("you started again").waitFor();
    expect(game.episodes()).toHaveLength(0);
    await button(page, "Keep").click();
    await becomes(page, "tally", (text) => text.startsWith("1 episode, 2 steps"));
    expect(game.episodes()[0]).toMatchObject({ actions: [1, 3], terminated: false, truncated: false });
  });

  test("for everybody: axe finds nothing, Tab and Enter are enough, nothing comes from elsewhere", async () => {
    game = await Game.start("taxi");
    page = await game.page(browser);
    await page.getByText("Each press is a step").waitFor();
    for (const colours of ["light", "dark"] as const) expect(await faults(page, colours)).toEqual([]);
    for (let tabs = 0; tabs < 30 && !(await page.evaluate(() => document.activeElement?.textContent?.startsWith("south"))); ++tabs) await keys(page, "Tab");
    await keys(page, "Enter");
    await becomes(page, "step", (text) => steps(text) === 1);
    expect(await readout(page, "action")).toBe("south");
    expect(await page.locator("canvas").getAttribute("aria-label")).toMatch(/^taxi: step 1, return -1/);
    expect(game.asked.length).toBeGreaterThan(2);
    expect(game.asked.filter((each) => new URL(each).origin !== game.url)).toEqual([]);
  });

  test("on a phone the page fits", async () => {
    game = await Game.start("mountain_car");
    page = await game.page(browser, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await button(page, "push left").tap();
    await becomes(page, "step", (text) => steps(text) >= 2);
  });
});
