// An annotator at the page in real Chromium, by keyboard: prefers the candidate with the kinder words. For tests of trainings that people answer.
//
//   node annotator.mjs URL NAME            until its standard input ends; then prints {"answered": N}
import { chromium } from "playwright-core";

const [url, name] = process.argv.slice(2);
const warm = new Set("happy good great love loved nice kind wonderful joy glad smile smiled best fun sweet".split(" "));
const cold = new Set("sad bad hate hated awful terrible angry cried cry worst lost mean cruel fear ugly".split(" "));
const judge = (text) => text.toLowerCase().split(/[^a-z]+/).reduce((sum, word) => sum + Number(warm.has(word)) - Number(cold.has(word)), 0);

let over = false;
process.stdin.on("end", () => { over = true; }).resume();

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const context = await browser.newContext();
await context.addCookies([{ name: "rlhf_name", value: name, url }]);
const page = await context.newPage();
await page.goto(url);

/// The candidates as they stand on the screen, once their question is there.
async function shown() {
  const main = await page.$("main[data-question]:not(:has([aria-busy='true']))");
  const question = await main?.getAttribute("data-question");
  if (!question) return null;
  const texts = await page.locator("article.item .item-body").allInnerTexts();
  return texts.length === 2 ? { question, texts } : null;
}

let answered = 0;
while (!over) {
  const now = await shown().catch(() => null); // the page may change under our eyes
  if (!now) { await page.waitForTimeout(100); continue; }
  const [left, right] = now.texts.map(judge);
  await page.keyboard.press(left === right ? ["ArrowLeft", "ArrowRight"][answered % 2] : left > right ? "ArrowLeft" : "ArrowRight");
  await page.waitForFunction((before) => document.querySelector("main")?.dataset.question !== before, now.question, { timeout: 20_000 });
  ++answered;
}
await page.waitForFunction(() => !document.body.innerText.includes("kept here"), undefined, { timeout: 10_000 });
console.log(JSON.stringify({ answered }));
await browser.close();
