// A server for tests of the owner's pages, the runs and the chat: the built pages, a store made up from a seed, a recorded run.
// It listens on loopback only and remembers what it was sent.

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { WebSocketServer } from "ws";

const here = import.meta.dirname;
const file = (name: string) => readFileSync(join(here, "run", name), "utf8");
const rows = (name: string) => file(name).trim().split("\n").map((line) => JSON.parse(line));
const now = Date.now() / 1000;

/// What a page must show as letters and never run.
export const payload = `<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>[x](javascript:window.hacked=1)`;

const texts = [
  ["How do I keep basil alive through the winter?", "Keep it at a south window, water when the top of the soil is dry, and pinch off flowers so that it keeps growing leaves.", "Keep it at a south window and water it every day, even when the soil is wet, and let it flower so that it keeps growing leaves."],
  ["Explain why the sky is blue to a child.", "Sunlight has all colours in it. The air bounces blue around the most, so blue comes to you from everywhere.", "Rayleigh scattering is inversely proportional to the fourth power of the wavelength, which favours the shorter wavelengths."],
  ["Write a short apology for missing a meeting.", "I am sorry I missed our meeting this morning. I mixed up the times. May I suggest tomorrow at ten?", "Sorry about the meeting, things happen. Let me know when you want to try again."],
  ["What should I check before buying a used bicycle?", "Look for cracks in the frame, spin the wheels, test both brakes, and shift through every gear under load.", "Ask whether it was expensive when it was new. Expensive bicycles are usually fine."],
  ["Is it safe to leave rice in the cooker overnight?", "Not really: spores can survive cooking and grow at room temperature. Cool it within an hour and refrigerate it.", "Yes, that is what rice cookers are for."],
  ["Suggest a name for a small bakery by the sea.", "Salt & Crumb. It says both bread and shore, and it is easy to remember.", "The Bakery."],
  ["Summarise the plot of Moby-Dick in two sentences.", "A sailor joins a whaling ship whose captain hunts the white whale that took his leg. The hunt destroys the ship, and only the sailor is left to tell it.", "A man wants a whale. He gets it in the end, more or less."],
];
const form = {
  name: "pair_strength", title: "Which answer is better?", instruction: "", media: "text", least_items: 2, most_items: 2,
  parts: [{ name: "choice", ask: "compare", label: "Which is better?", help: "", required: true, allow_tie: true, allow_both_bad: true, allow_incomparable: true, levels: ["slightly", "clearly", "much"], axes: [], rules: [], categories: [], least_words: 0 }],
};
const people = ["amara", "bela", "chen", "dario"];
const question = (index: number, hostile: boolean) => {
  const [prompt, left, right] = hostile && index === 0 ? [payload, payload, `${payload} b`] : texts[index % texts.length]!;
  return { id: `q-${String(index).padStart(4, "0")}`, form: hostile && index === 0 ? { ...form, title: payload } : form, prompt: { text: prompt, messages: [] }, items: [left, right].map((text) => ({ text, quotes: [], clip: "" })), target: "", round: "", guideline: "3" };
};
const said = (best: number, tie = false) => ({ kind: "comparison", best, tie, strength: 2 / 3, both_bad: false, incomparable: false });
const estimate = (value: number, spread: number, n: number) => ({ value, low: value - spread, high: value + spread, n });

function answers(hostile: boolean) {
  return Array.from({ length: 120 }, (_, place) => ({
    sequence: 4120 - place, question: question(place % 14, hostile), annotator: hostile && place === 0 ? payload : people[place % 4]!, source: "human", answered_at: now - 60 - place * 47, split: place % 9 === 0 ? "heldout" : "train",
    answer: {
      said: place % 11 === 5 ? { kind: "skip", reason: "cannot judge" } : said((place * 7) % 3 === 0 ? 1 : 0, place % 8 === 3), details: {}, active_seconds: 14 + (place % 17),
      comment: hostile && place === 0 ? payload : place % 6 === 0 ? "Both are right; the first one is easier to follow." : "", flags: place % 13 === 4 ? ["unsafe"] : [], confidence: place % 3 ? 0.75 : undefined,
    },
  }));
}

function queue(hostile: boolean) {
  const states = ["open", "open", "leased", "done", "done", "flagged"];
  return Array.from({ length: 130 }, (_, place) => ({
    id: `q-${String(place).padStart(4, "0")}`, form: place % 4 === 3 ? "rating" : "pair_strength", state: states[place % states.length]!, wanted: 1 + (place % 3), given: states[place % states.length] === "done" ? 1 + (place % 3) : 0,
    priority: place < 3 ? 5 : place % 5 === 0 ? 0.5 : 0, split: place % 9 === 0 ? "heldout" : "train", prompt: hostile && place === 0 ? payload : texts[place % texts.length]![0],
  }));
}

const annotator = (name: string, quality: number, more: object = {}) => ({
  name, source: "human", standing: "active", quota: 0, answers: Math.round(900 * quality), skips: 12, median_seconds: 17.5 + 20 * (1 - quality), agreement: estimate(quality - 0.08, 0.03, 400), gold_accuracy: estimate(quality, 0.05, 60),
  reliability: estimate(quality - 0.02, 0.03, 800), left_share: estimate(0.51, 0.03, 800), longer_share: estimate(0.58, 0.03, 800), warnings: [], last_at: now - 900 * (1 - quality) * 20, passed: ["first round"], ...more,
});

const agreement = {
  raw: estimate(0.743, 0.021, 1284), with_gold: estimate(0.861, 0.035, 240), with_reward_model: estimate(0.702, 0.024, 912), fleiss: null, krippendorff: estimate(0.48, 0.05, 1284),
  reference: { "InstructGPT, among labelers": estimate(0.726, 0.015, 0), "Learning to summarize, with researchers": 0.77, "hh-rlhf, with researchers": 0.63 },
  cohen: people.flatMap((a, i) => people.slice(i + 1).map((b, j) => ({ a, b, kappa: 0.34 + ((i * 3 + j * 2) % 5) * 0.11, n: 120 + 31 * ((i + 2 * j) % 4) }))),
  over_time: Array.from({ length: 24 }, (_, i) => ({ at: now - (24 - i) * 7200, raw: estimate(0.66 + 0.09 * (1 - Math.exp(-i / 7)) + 0.012 * Math.sin(i * 1.9), 0.06 - i * 0.0015, 50) })),
};
const reward = Array.from({ length: 26 }, (_, i) => {
  const accuracy = 0.5 + 0.22 * (1 - Math.exp(-(i + 1) / 7)) + 0.008 * Math.sin(i * 2.3);
  return { labels: 80 * (i + 1), accuracy, low: accuracy - 0.05, high: accuracy + 0.05, at: now - (26 - i) * 1700 };
});

export interface Fixture { url: string; sent: { path: string; body: any }[]; close: () => Promise<void> }

export async function startFixture({ hostile = false, role = "owner" }: { hostile?: boolean; role?: string } = {}): Promise<Fixture> {
  const sent: Fixture["sent"] = [];
  let guideline = { kind: "guideline", name: "guideline", version: "3", text: hostile ? payload : "# What to prefer\n\nPrefer the answer that **helps most**, in this order:\n\n1. It is true.\n2. It answers what was asked.\n3. It is easy to read.\n\n> Length is no merit. Of two equal answers the shorter is better.\n\nSkip what you cannot judge, and say why." };
  let list = [...people.map((name, i) => annotator(hostile && i === 0 ? payload : name, [0.94, 0.88, 0.91, 0.71][i]!, i === 3 ? { standing: "paused", left_share: estimate(0.78, 0.04, 420), warnings: ["Chose the left answer in 78% of comparisons", "Gold accuracy fell below 75% in the last 20"] } : i === 1 ? { quota: 1000 } : {})), annotator("judge-8b", 0.83, { source: "model", quota: 5000 })];

  const gets: Record<string, (query: URLSearchParams) => unknown> = {
    "/api/session": () => ({ annotator: "mira", role, csrf: "token", login: true, project: "helpful-answers", model: true }),
    "/api/owner/overview": () => ({
      counts: { questions: 3200, open: 1092, leased: 6, answers: 4120, skips: 61, undone: 18 }, rate_per_hour: 214, seconds_left: 18370, cost: { judgements: 4120, seconds: 80752 },
      forms: [{ form: "pair_strength", open: 871, answers: 3420, median_seconds: 18.2 }, { form: "rating", open: 180, answers: 611, median_seconds: 24.9 }, { form: "demonstration", open: 41, answers: 89, median_seconds: 212 }],
      projects: [{ name: "helpful-answers", questions: 3200, open: 1092, answers: 4120 }, { name: "cart-pole-clips", questions: 700, open: 0, answers: 1400 }, hostile ? payload : "summaries"],
    }),
    "/api/owner/queue": (query) => {
      const found = queue(hostile).filter((entry) => (!query.get("form") || entry.form === query.get("form")) && (!query.get("state") || entry.state === query.get("state")));
      const from = query.get("before") ? found.findIndex((entry) => entry.id === query.get("before")) + 1 : 0;
      return { entries: found.slice(from, from + Number(query.get("limit") ?? 50)) };
    },
    "/api/owner/agreement": () => agreement,
    "/api/owner/annotators": () => ({ annotators: list }),
    "/api/owner/disagreements": (query) => ({
      entries: Array.from({ length: 14 }, (_, i) => ({ question: question(i, hostile), split: 0.5, answers: people.slice(0, 2 + (i % 3)).map((name, p) => ({ annotator: name, answer: { said: said((p + i) % 2, p === 3), details: {}, active_seconds: 20, comment: hostile ? payload : p === 0 ? "Clearer, and it says why." : "" } })) })).slice(0, Number(query.get("limit"))),
    }),
    "/api/owner/search": (query) => {
      const words = (query.get("text") ?? "").toLowerCase();
      const found = answers(hostile).filter((one) => (!words || JSON.stringify(one).toLowerCase().includes(words)) && (!query.get("annotator") || one.annotator === query.get("annotator")) && (!query.get("flagged") || one.answer.flags.length) && (!query.get("skipped") || one.answer.said.kind === "skip") && (!query.get("before") || one.sequence < Number(query.get("before"))));
      return { entries: found.slice(0, Number(query.get("limit") ?? 50)) };
    },
    "/api/owner/document": () => guideline,
    "/api/owner/reward": () => ({ points: reward }),
    "/api/runs": () => ({
      runs: [
        { name: "preferences-small", algorithm: "ppo", step: 29, steps: 30, started_at: now - 1320, updated_at: now - 700, state: "finished" },
        { name: "helpful-dpo", algorithm: "dpo", step: 412, steps: 1000, started_at: now - 5400, updated_at: now - 3, state: "running" },
        { name: hostile ? payload : "reward-large", algorithm: "reward_model", step: 88, steps: 600, started_at: now - 90000, updated_at: now - 88000, state: "failed" },
      ],
    }),
    metrics: (query) => ({ rows: rows("metrics.jsonl").filter((row) => row.step > Number(query.get("after"))), last: 29 }),
    evaluation: () => ({ rows: rows("evaluation.jsonl") }),
    samples: () => ({ samples: hostile ? [{ step: 0, prompt: payload, completion: payload, score: 1 }] : rows("samples.jsonl") }),
    config: () => ({ toml: hostile ? `name = "${payload.replaceAll('"', "'")}"  # ${payload}` : file("config.toml"), run: JSON.parse(file("run.json")), verdict: hostile ? { outcome: "worse", headline: payload, findings: [], best_step: 0 } : JSON.parse(file("verdict.json")) }),
  };
  const posts: Record<string, (body: any) => unknown> = {
    "/api/owner/annotators": (body) => {
      const old = list.find((one) => one.name === body.name);
      if (old) Object.assign(old, { standing: body.standing ?? old.standing, quota: body.quota ?? old.quota });
      else list = [...list, annotator(body.name, 0, { answers: 0, skips: 0, agreement: null, gold_accuracy: null, reliability: null, left_share: null, longer_share: null, median_seconds: null, last_at: null, passed: [], quota: body.quota })];
      return {};
    },
    "/api/owner/erase": (body) => { list = list.filter((one) => one.name !== body.annotator); return { events: 91 }; },
    "/api/owner/questions": (body) => ({ added: body.questions.length }),
    "/api/owner/document": (body) => { guideline = body; return { sequence: 1 }; },
  };

  const server = createServer((request, response) => void answer(request, response));
  const json = (response: ServerResponse, value: unknown, status = 200) => { response.writeHead(status, { "Content-Type": "application/json" }); response.end(JSON.stringify(value)); };
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url!, "http://x");
    if (request.method === "POST") {
      let text = "";
      for await (const part of request) text += part;
      const body = JSON.parse(text || "{}");
      sent.push({ path: url.pathname, body });
      if (request.headers["x-csrf-token"] !== "token") return json(response, { error: { what: "no CSRF token", where: url.pathname, fix: "" } }, 403);
      if (url.pathname === "/v1/chat/completions") return stream(response, body);
      return json(response, posts[url.pathname]?.(body) ?? { sequence: 1 });
    }
    const part = /^\/api\/runs\/[^/]+\/(\w+)$/.exec(url.pathname)?.[1];
    const get = gets[part ?? url.pathname];
    if (get) return json(response, get(url.searchParams));
    if (url.pathname.startsWith("/api/")) return json(response, { error: { what: "There is nothing here.", where: url.pathname, fix: "" } }, 404);
    const kinds: Record<string, string> = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };
    const path = extname(url.pathname) ? url.pathname : "/index.html";
    try {
      const bytes = readFileSync(join(process.env.DIST ?? join(here, "../dist"), path));
      response.writeHead(200, { "Content-Type": kinds[extname(path)] ?? "application/octet-stream" });
      response.end(bytes);
    } catch {
      json(response, { error: { what: "no file" } }, 404);
    }
  }
  async function stream(response: ServerResponse, body: any) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    const slow = body.messages.at(-1).content.includes("slowly");
    const parts = hostile ? [[payload], [payload]] : [texts[0]![1]!, texts[0]![2]!].map((text) => text.match(/\S+\s*/g)!);
    for (let i = 0; i < Math.max(...parts.map((part) => part.length)) && !response.destroyed; ++i) {
      for (let n = 0; n < body.n; ++n) if (parts[n]![i]) response.write(`data: ${JSON.stringify({ choices: [{ index: n, delta: { content: parts[n]![i] } }] })}\n\n`);
      await new Promise((done) => setTimeout(done, slow ? 100 : 3));
    }
    for (let n = 0; n < body.n; ++n) response.write(`data: ${JSON.stringify({ choices: [{ index: n, delta: {}, finish_reason: "stop" }] })}\n\n`);
    response.end("data: [DONE]\n\n");
  }
  const live = new WebSocketServer({ server });
  live.on("connection", (line) => line.send(JSON.stringify({ type: "counts" })));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sent,
    close: () => new Promise((done) => { live.clients.forEach((line) => line.terminate()); live.close(); server.closeAllConnections(); server.close(() => done()); }),
  };
}
