// An annotator at the page in real Chromium, by keyboard alone: picks the candidate with the kindest words, for trainings that people answer.
//
//   node annotator.mjs URL NAME            until its standard input ends; then prints {"answered": N}
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const [url, name] = process.argv.slice(2);
const warm = new Set("happy good great love loved nice kind wonderful joy glad smile smiled best fun sweet".split(" "));
const cold = new Set("sad bad hate hated awful terrible angry cried cry worst lost mean cruel fear ugly".split(" "));
const judge = (text) => text.toLowerCase().split(/[^a-z]+/).reduce((sum, word) => sum + Number(warm.has(word)) - Number(cold.has(word)), 0);

let over = false;
process.stdin.on("end", () => { over = true; }).resume();

const executablePath = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const context = await browser.newContext();
await context.addCookies([{ name: "rlhf_name", value: name, url }]);
const page = await context.newPage();
await page.goto(url);

/// The question on the screen and its candidates' texts, once it can be answered.
async function shown() {
  const main = await page.$("main[data-question]:not(:has([aria-busy='true']))");
  if (!main) return null;
  const question = await main.getAttribute("data-question");
  const texts = await page.locator("article.item .item-body").allInnerTexts();
  return { question, texts };
}

let answered = 0;
while (!over) {
  const now = await shown().catch(() => null); // the page may change under our eyes
  if (!now) { await page.waitForTimeout(100); continue; }
  const kindness = now.texts.map(judge);
  await page.keyboard.press(String(1 + kindness.indexOf(Math.max(...kindness)))); // the first, the second ... is the best
  await page.waitForFunction((before) => document.querySelector("main")?.dataset.question !== before, now.question, { timeout: 20_000 });
  ++answered;
}
await page.waitForFunction(() => !document.body.innerText.includes("kept here"), undefined, { timeout: 10_000 });
console.log(JSON.stringify({ answered }));
await browser.close();
