// Pictures of the page of `rlhf env play` for docs/screenshots: RLHF=build/rlhf npm run screenshots.
import { resolve } from "node:path";
import { test } from "vitest";
import { becomes, Game, openBrowser, program } from "./browser/game";

const folder = process.env.RLHF_SCREENSHOTS ?? resolve(import.meta.dirname, "../../docs/screenshots");
const views = { desktop: { viewport: { width: 1280, height: 800 } }, phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } };

test.skipIf(!program)("play", async ({ onTestFinished }) => {
  const browser = await openBrowser();
  onTestFinished(() => browser.close());
  const game = await Game.start("mountain_car", "--rate", "60", "--hold_seconds", "0.2", "--settings", '{"max_steps": 150}', "--seed", "3");
  onTestFinished(() => game.close());
  for (const [view, options] of Object.entries(views)) {
    const page = await game.page(browser, options);
    await page.keyboard.press("r"); // the page before it left the game in a pause
    await page.getByText("Press a key to begin").waitFor();
    const before = Number(await page.locator("[data-episode]").textContent());
    await page.keyboard.press("ArrowLeft");
    await becomes(page, "episode", (text) => Number(text) > before);
    await page.keyboard.down("ArrowRight");
    await becomes(page, "step", (text) => parseInt(text, 10) > 40);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${folder}/play-${view}-${colorScheme}.png` });
    }
    await page.context().close();
  }
});
