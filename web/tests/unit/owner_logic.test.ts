import { describe, expect, test } from "vitest";
import { summary } from "../../src/charts/summary";
import { positive, smooth } from "../../src/charts/smoothing";
import * as talks from "../../src/chat/conversation";
import { piecesOf } from "../../src/chat/stream";
import { ago, duration, interval, measured, money, percent, shorten } from "../../src/desk/format";
import { wordDiff } from "../../src/desk/word_diff";
import { readQuestions } from "../../src/owner/jsonl";
import { oneTimePassword } from "../../src/owner/password";
import { nextVersion } from "../../src/owner/version";
import { klTarget, otherMetrics, shownPanels } from "../../src/runs/panels";
import { byPrompt, stepsOf } from "../../src/runs/sample_groups";
import { readSettings } from "../../src/runs/settings";
import { Columns } from "../../src/runs/table";

describe("smoothing", () => {
  test("a constant stays; the start is not pulled to zero", () => {
    smooth([3, 3, 3], 0.9).forEach((value) => expect(value).toBeCloseTo(3, 12));
  });
  test("worked by hand, with a gap", () => {
    // weight 0.5: means 0.5, then 0.25 + 1 = 1.25; masses 0.5, 0.75
    const [first, gap, second] = smooth([1, null, 2], 0.5);
    expect(first).toBe(1);
    expect(gap).toBeNull();
    expect(second).toBeCloseTo(1.25 / 0.75, 12);
  });
  test("no smoothing gives the values back, and a logarithmic axis leaves out what it cannot show", () => {
    expect(smooth([1, 5, 2], 0)).toEqual([1, 5, 2]);
    expect(positive([1, 0, null, -2, 3])).toEqual({ values: [1, null, null, null, 3], dropped: 2 });
  });
});

describe("word diff", () => {
  test("each side has its own words, and both texts come back whole", () => {
    const left = "the cat sat on the mat", right = "the dog sat on a mat";
    const diff = wordDiff(left, right);
    expect(diff.left.map((piece) => piece.text).join("")).toBe(left);
    expect(diff.right.map((piece) => piece.text).join("")).toBe(right);
    expect(diff.left.filter((piece) => piece.own).map((piece) => piece.text)).toEqual(["cat", "the"]);
    expect(diff.right.filter((piece) => piece.own).map((piece) => piece.text)).toEqual(["dog", "a"]);
    expect(diff.shared).toBeCloseTo(4 / 6, 12);
  });
  test("a phrase of one's own is one piece", () => {
    expect(wordDiff("keep it dry", "keep it at a south window").right.filter((piece) => piece.own)).toHaveLength(1);
  });
  test("equal and empty texts", () => {
    expect(wordDiff("same", "same")).toEqual({ left: [{ text: "same", own: false }], right: [{ text: "same", own: false }], shared: 1 });
    expect(wordDiff("", "")).toEqual({ left: [], right: [], shared: 1 });
  });
});

describe("formatting", () => {
  test.each([[0, "0"], [5, "5"], [0.71051, "0.711"], [-0.0523, "−0.052"], [12.3456, "12.35"], [1234.5, "1,235"], [0.0015, "0.0015"], [1.6e-5, "1.60e−5"], [NaN, "–"], [null, "–"]])("measured %s", (value, text) => expect(measured(value)).toBe(text));
  test.each([[4.25, "4.3 s"], [59, "59 s"], [90, "1 min 30 s"], [3600, "1 h"], [18370, "5 h 6 min"], [90000, "1 d 1 h"], [null, "–"]])("duration %s", (value, text) => expect(duration(value)).toBe(text));
  test("shares, intervals, money, times", () => {
    expect(percent(0.7312, 1)).toBe("73.1%");
    expect(interval({ value: 0.7, low: 0.65, high: 0.75 }, percent)).toBe("65% to 75%");
    expect(interval({ value: 0.7, low: null, high: null }, percent)).toBe("");
    expect(money(1234.5, "€")).toBe("€1,235");
    expect(money(3.5, "$")).toBe("$3.50");
    expect(ago(1000, 1300)).toBe("5 min ago");
    expect(shorten("  many\n words here ", 10)).toBe("many word…");
  });
});

describe("a run's log", () => {
  test("rows of a step are one point, late steps find their place, gaps are gaps", () => {
    const columns = new Columns();
    columns.add([{ step: 0, a: 1 }, { step: 0, b: 2 }, { step: 2, a: 3 }]);
    columns.add([{ step: 1, b: 4 }, { step: 2, a: 5 }]);
    expect(columns.steps).toEqual([0, 1, 2]);
    expect(columns.column("a")).toEqual([1, null, 5]);
    expect(columns.column("b")).toEqual([2, 4, null]);
    expect(columns.newest("b")).toBe(4);
  });
  test("panels show what is there; everything else can be asked for", () => {
    const columns = new Columns();
    columns.add([{ step: 0, "objective/kl": 0, "my/metric": 1, once: 1 }, { step: 1, "objective/kl": 2, "my/metric": 2 }]);
    expect(shownPanels(columns).map((panel) => panel.title)).toEqual(["Distance from the start"]);
    expect(otherMetrics(columns)).toEqual(["my/metric"]);
  });
  test("settings keep their origin; a # in quotes is no comment", () => {
    const groups = readSettings('model = "a # b"  # preset small:2\n[ppo.kl]\ncontrol = "adaptive"  # default\ntarget = 6.0\n# limit = none  # default\n');
    expect(groups[0]!.settings[0]).toEqual({ key: "model", value: '"a # b"', origin: "preset small:2", changed: true, unset: false });
    expect(groups[1]!.settings.map((one) => one.unset)).toEqual([false, false, true]);
    expect(klTarget(groups)).toBe(6);
    expect(klTarget(readSettings('[ppo.kl]\ncontrol = "fixed"\ntarget = 6.0'))).toBeNull();
  });
  test("samples of one prompt are together, and words filter", () => {
    const samples = [{ step: 5, prompt: "p", completion: "red fox" }, { step: 0, prompt: "p", completion: "blue" }, { step: 0, prompt: "q", completion: "fox" }];
    expect(byPrompt(samples).map((group) => group.samples.length)).toEqual([2, 1]);
    expect(byPrompt(samples, "FOX red").map((group) => group.prompt)).toEqual(["p"]);
    expect(stepsOf(samples)).toEqual([0, 5]);
  });
  test("a chart in a sentence", () => {
    expect(summary([{ name: "KL", values: [null, 1, 4, 2] }], [0, 1, 2, 3], "Step", String, String)).toBe("Step 0 to 3. KL: from 1 to 2, lowest 1, highest 4.");
  });
});

describe("the owner's small things", () => {
  test("every wrong line of a file is named", () => {
    const { questions, faults } = readQuestions('\uFEFF{"prompt": "a"}\n\n{"prompt": "b", "items": 3}\nnot json\n[]\n{"items": []}\n');
    expect(questions).toEqual([{ prompt: "a" }]);
    expect(faults.map((fault) => fault.line)).toEqual([3, 4, 5, 6]);
  });
  test("versions grow at their last number", () => {
    expect([["", "1"], ["1.9", "1.10"], ["v2", "v3"], ["2026-09", "2026-10"], ["draft", "draft-2"]].filter(([old, next]) => nextVersion(old!) !== next)).toEqual([]);
  });
  test("a password is 16 plain letters, unbiased", () => {
    expect(oneTimePassword()).toMatch(/^[a-hj-km-np-z2-9]{4}(-[a-hj-km-np-z2-9]{4}){3}$/);
    expect(oneTimePassword(() => [255, 0, 31, 1])).toBe("aaba-abaa-baab-aaba"); // 255 is dropped: it would favour a letter; 31 is "a" again
  });
});

describe("a conversation", () => {
  const two = talks.finished(talks.finished(talks.received(talks.received(talks.ask({ system: "S", turns: [] }, "hi", 2), 0, "one"), 1, "two"), 0), 1);
  test("waits for a choice, then goes on with the chosen answer", () => {
    expect(talks.undecided(two)).toBe(true);
    const next = talks.ask(talks.chose(two, 0, 1), "more", 1);
    expect(talks.messages(next).map((one) => one.content)).toEqual(["S", "hi", "two", "more"]);
    expect(talks.running(next)).toBe(true);
    expect(talks.running(talks.ended(next))).toBe(false);
  });
  test("what is stored", () => {
    expect(talks.feedback(talks.rated(talks.chose(two, 0, 1), 0, 4), 0)).toEqual({
      messages: [{ role: "system", content: "S" }, { role: "user", content: "hi" }], candidates: ["one", "two"], chosen: 1, stars: 4,
    });
  });
  test("text after the end is not added", () => {
    expect(talks.received(talks.ended(talks.ask(talks.empty, "x", 1)), 0, "late").turns[0]!.candidates[0]!.text).toBe("");
  });
  test("pieces of a stream, and its errors", () => {
    expect(piecesOf({ choices: [{ index: 1, delta: { content: "a" } }, { delta: {}, finish_reason: "stop" }] })).toEqual([{ candidate: 1, text: "a", finished: false }, { candidate: 0, text: "", finished: true }]);
    expect(() => piecesOf({ error: { message: "out of memory" } })).toThrow("out of memory");
  });
});
