import { describe, expect, test, vi } from "vitest";
import { ActiveTime } from "../../src/activity";
import { Desk, type DeskApi } from "../../src/annotate/desk";
import { ApiError, type Answer, type Comparison, type Part, type Question } from "../../src/api";
import { Drafts } from "../../src/drafts";
import { ClipClock, frameAt } from "../../src/forms/clip";
import { DigitBuffer } from "../../src/forms/digits";
import { answerOf, draftFrom, emptyDraft, firstMissing, groupsOf, impliedPairs, ranksOf } from "../../src/forms/draft";
import { Pace } from "../../src/forms/pace";
import { choose, move, same, scaleOf, tie } from "../../src/forms/scale";
import { cut, toPoints, toUnits, wordsOf } from "../../src/forms/spans";
import { actions, type Action } from "../../src/keys";
import { Outbox } from "../../src/outbox";
import { chordOf, collisions, keyText } from "../../src/shortcuts";

const part = (given: Partial<Part>): Part => ({ name: "p", ask: "compare", label: "", help: "", required: true, before: false, allow_tie: false, allow_both_bad: false, allow_incomparable: false, worse: false, turns: "", levels: [], axes: [], rules: [], categories: [], least_words: 0, most: 0, ...given });
const question = (parts: Part[], items = 2): Question => ({ id: "q", prompt: { text: "", messages: [] }, target: "", round: "", guideline: "", items: Array.from({ length: items }, (_, at) => ({ text: `t${at}`, quotes: [], clip: "" })), form: { name: "f", title: "", instruction: "", media: "text", least_items: 0, most_items: 9, parts } });
class Shelf {
  private readonly kept = new Map<string, string>();
  get length() { return this.kept.size; }
  key(at: number) { return [...this.kept.keys()][at] ?? null; }
  getItem(key: string) { return this.kept.get(key) ?? null; }
  setItem(key: string, value: string) { this.kept.set(key, value); }
  removeItem(key: string) { this.kept.delete(key); }
}

describe("shortcuts", () => {
  test("the table has no collision", () => expect(collisions(actions, (id) => actions.find((each) => each.id === id)!.keys)).toEqual([]));
  test("a collision is found where scopes meet, and only there", () => {
    const table: Action[] = [{ id: "a", scope: "page", label: "A", keys: ["x"] }, { id: "b", scope: "rules", label: "B", keys: ["x"] }, { id: "c", scope: "spans", label: "C", keys: ["y"] }, { id: "d", scope: "rules", label: "D", keys: ["y"] }];
    const found = collisions(table, (id) => table.find((each) => each.id === id)!.keys);
    expect(found.map(({ key, first, second }) => [key, first.id, second.id])).toEqual([["x", "a", "b"]]);
  });
  test("chords", () => {
    const event = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };
    expect(chordOf({ ...event, key: "?", shiftKey: true })).toBe("?");
    expect(chordOf({ ...event, key: "J", shiftKey: true })).toBe("Shift+j");
    expect(chordOf({ ...event, key: "Enter", metaKey: true })).toBe("Mod+Enter");
    expect(keyText("+")).toBe("+");
  });
});

describe("scale", () => {
  const nine = part({ levels: ["possibly", "likely", "very likely", "certainly"], allow_tie: true });
  test("nine points from A over the tie to B", () => {
    const steps = scaleOf(nine);
    expect(steps.map((step) => [step.said.best, step.said.tie ? 0 : step.said.strength])).toEqual([[0, 1], [0, 0.75], [0, 0.5], [0, 0.25], [0, 0], [1, 0.25], [1, 0.5], [1, 0.75], [1, 1]]);
    expect([steps[0]!.label, steps[4]!.label]).toEqual(["A certainly better", "Equally good"]);
  });
  test("arrows begin at the weakest step of their side and stop at the ends", () => {
    const steps = scaleOf(nine);
    const right = move(steps, undefined, 1);
    expect(same(right, choose(nine, 1, 1))).toBe(true);
    expect(move(steps, right, -1)).toEqual(tie);
    expect(move(steps, choose(nine, 0, 4), -1)).toEqual(choose(nine, 0, 4));
    const eight = scaleOf(part({ levels: ["a", "b", "c", "d"] }));
    expect(move(eight, undefined, -1)).toMatchObject({ best: 0, strength: 0.25 });
    expect(move(eight, undefined, 1)).toMatchObject({ best: 1, strength: 0.25 });
  });
});

describe("ranking", () => {
  test("numbers mean groups, gaps or not", () => {
    expect(groupsOf([3, 1, 3, 7])).toEqual([[1], [0, 2], [3]]);
    expect(ranksOf([[1], [0, 2], [3]], 4)).toEqual([2, 1, 2, 3]);
  });
  test("implied pairs are K(K-1)/2", () => {
    const pairs = impliedPairs([[1], [0, 2], [3]]);
    expect(pairs).toHaveLength(6);
    expect(pairs.filter((pair) => pair.tie)).toEqual([{ better: 0, worse: 2, tie: true }]);
  });
  test("an item without a place, and a tie where none is allowed, are missing something", () => {
    const asked = question([part({ ask: "rank" })], 3);
    const with_ = (ranks: number[]) => firstMissing(asked, { ...emptyDraft(), parts: { p: { kind: "ranking", ranks } } })?.what;
    expect([with_([1, 2, 0]), with_([1, 2, 2]), with_([3, 1, 2])]).toEqual(["1 item left", "Two items share a place", undefined]);
  });
});

test("an answer becomes a draft and the same answer again", () => {
  const parts = [part({ name: "order", ask: "rank", allow_tie: true }), part({ name: "why", ask: "demonstrate", required: false })];
  const asked = question(parts, 3);
  const answer: Answer = { said: { kind: "ranking", groups: [[2], [0, 1]] }, details: { why: { kind: "demonstration", text: "so" } }, active_seconds: 3 };
  const again = answerOf(asked, draftFrom(asked, answer), 3);
  expect([again.said, again.details]).toEqual([answer.said, answer.details]);
});

test("what a stored answer leaves out has its usual value", () => {
  const asked = question([part({ name: "better" }), part({ name: "why", ask: "demonstrate", required: false })]);
  const stored = { said: { kind: "comparison", best: 1, tie: false, strength: 1 }, active_seconds: 2 } as unknown as Answer;
  const draft = draftFrom(asked, stored);
  expect(same(draft.parts.better as Comparison, choose(asked.form.parts[0]!, 1))).toBe(true);
  expect(draft.parts.why).toBeUndefined();
});

test("an answer is taken back even before the server has said that it arrived", async () => {
  const at = { id: "a1", question: question([part({})]), lease_until: 0 };
  const progress = { mine: 0, mine_today: 0, open: 1, answered: 0, wanted: 1 };
  let arrive = () => {};
  const undone: number[] = [];
  let given = [at];
  const desk = new Desk("ann", { onChange: () => {}, onNote: () => {} }, {
    next: async () => { const assignments = given; given = []; return { assignments, progress, waiting: null }; },
    answer: () => new Promise((resolve) => { arrive = () => resolve({ sequence: 7, progress }); }),
    undo: async (sequence: number) => { undone.push(sequence); return { sequence: 8, assignment: { ...at, id: "a2" } }; },
    heartbeat: async () => ({ kept: [], lost: [] }), history: async () => ({ entries: [] }), release: async () => undefined,
  } as unknown as DeskApi, new Shelf() as unknown as Storage);
  desk.start();
  await vi.waitFor(() => expect(desk.current?.id).toBe("a1"));
  desk.submit({ said: { kind: "skip", reason: "" }, details: {}, active_seconds: 1 }, emptyDraft());
  const taken = desk.undo();
  arrive();
  await taken;
  expect([undone, desk.current?.id]).toEqual([[7], "a2"]);
  desk.stop();
});

test("a question that was taken back lies on the desk once, though the server gave it to the waiting page as well", async () => {
  const at = { id: "a1", question: question([part({})]), lease_until: 0 };
  const progress = { mine: 0, mine_today: 0, open: 1, answered: 0, wanted: 1 };
  let given = [at];
  const desk = new Desk("ann", { onChange: () => {}, onNote: () => {} }, {
    next: async () => { const assignments = given; given = []; return { assignments, progress, waiting: null }; },
    answer: async () => ({ sequence: 7, progress }),
    undo: async () => { given = [{ ...at, id: "a2" }]; desk.retry(); await Promise.resolve(); return { sequence: 8, assignment: { ...at, id: "a2" } }; },
    heartbeat: async () => ({ kept: [], lost: [] }), history: async () => ({ entries: [] }), release: async () => undefined,
  } as unknown as DeskApi, new Shelf() as unknown as Storage);
  desk.start();
  await vi.waitFor(() => expect(desk.current?.id).toBe("a1"));
  desk.submit({ said: { kind: "skip", reason: "" }, details: {}, active_seconds: 1 }, { ...emptyDraft(), comment: "kept" });
  await vi.waitFor(() => expect(desk.done[0]?.sequence).toBe(7));
  await desk.undo();
  await vi.waitFor(() => expect(given).toEqual([]));
  expect(desk.held().map((each) => each.id)).toEqual(["a2"]);
  expect(desk.drafts.load("q")?.comment).toBe("kept");
  desk.stop();
});

test("digits reach 10 and more, and wait only where they must", () => {
  vi.useFakeTimers();
  const got: number[] = [];
  const buffer = new DigitBuffer((value) => got.push(value));
  for (const key of ["7", "1", "0", "1", "1"]) buffer.press(key, 11);
  expect(got).toEqual([7, 10, 11]);
  buffer.press("1", 11);
  expect(got).toHaveLength(3);
  vi.advanceTimersByTime(800);
  expect(got).toEqual([7, 10, 11, 1]);
  buffer.press("1", 12);
  buffer.press("9", 12); // there is no 19: 1, and then 9
  expect(got).toEqual([7, 10, 11, 1, 1, 9]);
  vi.useRealTimers();
});

test("spans count code points", () => {
  const text = "a👩‍🚀b";
  expect(toPoints(text, text.indexOf("b"))).toBe(4);
  expect(toUnits(text, 4)).toBe(text.indexOf("b"));
  expect(wordsOf("Hello, big 🚀 world").map(([a, b]) => [..."Hello, big 🚀 world"].slice(a, b).join(""))).toEqual(["Hello", "big", "world"]);
  expect(cut("abcdef", [{ begin: 1, end: 4 }, { begin: 3, end: 5 }]).map((piece) => [piece.text, piece.marks])).toEqual([["a", []], ["bc", [0]], ["d", [0, 1]], ["e", [1]], ["f", []]]);
});

test("clips: frame by frame, with a hold at the end", () => {
  expect([0, 0.05, 0.95, 1.2, 1.3].map((at) => frameAt(at, 20, 20, 0.3))).toEqual([0, 1, 19, 19, 0]);
  let now = 0;
  const clock = new ClipClock(() => now, 20, 20);
  now = 0.5;
  expect(clock.frame).toBe(10);
  clock.setSpeed(0.5);
  now = 0.7;
  expect(clock.frame).toBe(12);
  clock.seek(-1);
  now = 9;
  expect([clock.frame, clock.paused]).toEqual([19, true]);
});

test("two streams are shown at one pace", () => {
  let now = 0;
  const pace = new Pace(() => now);
  pace.add(0, "a"); pace.add(0, "b"); pace.add(1, "x");
  expect(pace.shown()).toEqual(["a", "x"]);
  now = 2;
  pace.add(0, "c");
  expect(pace.shown()).toEqual(["abc", "x"]);
});

test("time counts for 30 seconds after an input, and only in view", () => {
  let now = 0;
  const time = new ActiveTime(() => now);
  now = 100;
  expect(time.seconds()).toBe(30);
  time.input();
  now = 110;
  time.show(false);
  now = 500;
  time.show(true);
  now = 505;
  expect(time.seconds()).toBe(45);
});

test("drafts are kept by annotator and question, and forgotten after two weeks", () => {
  const shelf = new Shelf();
  let now = 0;
  const mine = new Drafts("ann", shelf, () => now);
  mine.save("q1", { ...emptyDraft(), comment: "x" });
  expect(mine.load("q1")?.comment).toBe("x");
  expect(new Drafts("bob", shelf).load("q1")).toBeNull();
  now = 15 * 86_400_000;
  mine.prune();
  expect(mine.load("q1")).toBeNull();
});

describe("outbox", () => {
  const answer: Answer = { said: { kind: "skip", reason: "" }, details: {}, active_seconds: 0 };
  const outcome = { sequence: 1, progress: { mine: 1, mine_today: 1, open: 0, answered: 1, wanted: 1 } };
  test("tries again until it arrives, in order, and keeps what waits", async () => {
    const shelf = new Shelf();
    const tried: string[] = [], sent: string[] = [], pauses: number[] = [];
    let failures = 3;
    const options = { place: "o", storage: shelf, onSent: (letter: { assignment: string }) => sent.push(letter.assignment), onRefused: () => {}, pause: async (seconds: number) => void pauses.push(seconds),
      send: async ({ assignment }: { assignment: string }) => { tried.push(assignment); if (failures-- > 0) throw new ApiError(0, "away"); return outcome; } };
    const box = new Outbox(options);
    box.push({ assignment: "a", answer });
    box.push({ assignment: "b", answer });
    expect(JSON.parse(shelf.getItem("o")!)).toHaveLength(2);
    await vi.waitFor(() => expect(sent).toEqual(["a", "b"]));
    expect(tried).toEqual(["a", "a", "a", "a", "b"]);
    expect(pauses).toEqual([1, 2, 4]);
    expect(shelf.getItem("o")).toBe("[]");
  });
  test("what is refused is dropped and said", async () => {
    const refused: number[] = [];
    const box = new Outbox({ place: "o", storage: new Shelf(), onSent: () => {}, onRefused: (_, error) => refused.push(error.status), send: async () => { throw new ApiError(409, "taken"); } });
    box.push({ assignment: "a", answer });
    await vi.waitFor(() => expect(refused).toEqual([409]));
    expect(box.outlook.waiting).toBe(0);
  });
});
