import { describe, expect, test, vi } from "vitest";
import { LiveSession, type LiveEvents } from "../../src/forms/live_session";

/// A server and a page whose clocks differ by 5,000 s; pictures leave every 50 ms, the way down takes 200 ms, the way up 30 ms.
function taught() {
  let time = 100; // the session's
  const sent: any[] = [];
  const wire: any = { readyState: 1, send: (text: string) => sent.push(JSON.parse(text)), close: () => {} };
  const none = () => {};
  const events: LiveEvents = { onFrame: none, onState: none, onHello: none, onStored: none, onDelay: none, onLink: none };
  const session = new LiveSession("a", 0, events, () => wire, () => time + 5000);
  const hear = (message: object) => wire.onmessage({ data: JSON.stringify(message) });
  const picture = (tick: number) => {
    const head = new DataView(new ArrayBuffer(9));
    head.setBigUint64(0, BigInt(tick), true);
    wire.onmessage({ data: head.buffer });
  };
  const state = (tick: number, left: number) => hear({ type: "state", tick, time: left, speed: 1, paused: false, signals: 0 });
  return { session, sent, hear, picture, state, at: (now: number) => (time = now) };
}

describe("what a press is about", () => {
  test("the moment that was on the screen, whatever the ways and the clocks", () => {
    vi.useFakeTimers();
    const { session, sent, hear, picture, state, at } = taught();
    hear({ type: "hello", rate: 20, width: 1, height: 1 });
    session.press(1);
    expect(sent.at(-1)).not.toHaveProperty("seen"); // nothing is on the screen
    state(7, 100), at(100.2), picture(7);
    at(100.23), session.press(1);
    expect(sent.at(-1)).toMatchObject({ tick: 7, at: 5100.23 });
    expect(sent.at(-1).seen).toBeCloseTo(100.03, 9);
    state(8, 100.05), at(100.24), session.press(1); // a picture that is still on its way, or was left out, has not been seen
    expect(sent.at(-1).seen).toBeCloseTo(100.04, 9);
    at(103), session.press(-1); // and nothing after the next one
    expect(sent.at(-1).seen).toBeCloseTo(100.05, 9);
    state(9, 102.85), at(103.05), picture(9), session.press(1);
    expect(sent.at(-1).seen).toBeCloseTo(102.85, 9);
    session.close();
    vi.useRealTimers();
  });

  test("the delay is half of the way there and back", () => {
    vi.useFakeTimers();
    const { session, sent, hear, at } = taught();
    hear({ type: "pong", at: 5100 });
    at(100.23), hear({ type: "pong", at: 5100 }), session.press(1);
    expect(sent.at(-1).delay).toBeCloseTo(0.115, 9);
    session.close();
    vi.useRealTimers();
  });
});
