import { describe, expect, test, vi } from "vitest";
import { HeldKeys, keyName } from "../../src/play/held";
import { PlaySession, type PlayEvents } from "../../src/play/play_session";

const press = (key: string, code: string, more: object = {}) => ({ key, code, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, repeat: false, ...more });

describe("keys of a game", () => {
  test("names", () => {
    expect(keyName(press("ArrowLeft", "ArrowLeft"))).toBe("ArrowLeft");
    expect(keyName(press("A", "KeyA", { shiftKey: true }))).toBe("a");
    expect(keyName(press("3", "Digit3"))).toBe("3");
    expect(keyName(press("#", "Digit3", { shiftKey: true }))).toBe("Shift+3");
    expect(keyName(press("3", "Numpad3"))).toBe("3");
    expect(keyName(press('"', "Digit3"))).toBe("3"); // a keyboard whose digits need Shift
    expect(keyName(press("r", "KeyR", { ctrlKey: true }))).toBeNull(); // reloads the page
  });

  test("a key is let go under the name under which it went down", () => {
    const held = new HeldKeys();
    expect(held.down(press("#", "Digit3", { shiftKey: true }), () => true)).toBe("Shift+3");
    expect(held.up({ code: "Digit3" })).toBe("Shift+3"); // Shift was let go first
    expect(held.up({ code: "Digit3" })).toBeNull();
  });

  test("repeats and keys without meaning are no presses", () => {
    const held = new HeldKeys();
    const known = (name: string) => name === "a";
    expect(held.down(press("a", "KeyA"), known)).toBe("a");
    expect(held.down(press("a", "KeyA", { repeat: true }), known)).toBeNull();
    expect(held.down(press("a", "KeyA"), known)).toBeNull();
    expect(held.down(press("q", "KeyQ"), known)).toBeNull();
    expect(held.up({ code: "KeyQ" })).toBeNull();
    held.clear();
    expect(held.down(press("a", "KeyA"), known)).toBe("a");
  });
});

class Wire {
  readyState = 1;
  sent: object[] = [];
  onopen: any; onclose: any; onmessage: any;
  send(text: string) { this.sent.push(JSON.parse(text)); }
  close() { this.readyState = 3; }
}

describe("the wire of a game", () => {
  const setUp = () => {
    const wires: Wire[] = [];
    const links: string[] = [];
    const events = { onHello: vi.fn(), onState: vi.fn(), onFrame: vi.fn(), onFault: vi.fn(), onLink: (link: string) => { if (links.at(-1) !== link) links.push(link); } };
    const session = new PlaySession(events as PlayEvents, () => (wires.push(new Wire()), wires.at(-1)!) as any, 5);
    wires[0]!.onopen();
    return { session, wires, links, events };
  };

  test("what comes in goes where it belongs", () => {
    const { session, wires, events } = setUp();
    for (const type of ["hello", "state", "fault", "from a newer program"]) wires[0]!.onmessage({ data: JSON.stringify({ type }) });
    wires[0]!.onmessage({ data: new ArrayBuffer(4) });
    for (const heard of [events.onHello, events.onState, events.onFault, events.onFrame]) expect(heard).toHaveBeenCalledTimes(1);
    session.key("a", true);
    session.throwAway();
    expect(wires[0]!.sent).toEqual([{ type: "key", key: "a", down: true }, { type: "throw_away" }]);
  });

  test("a break is mended by itself; a game that another page took is not taken back", async () => {
    const { session, wires, links } = setUp();
    wires[0]!.onclose();
    await vi.waitFor(() => expect(wires).toHaveLength(2));
    wires[1]!.onopen();
    wires[1]!.onmessage({ data: JSON.stringify({ type: "taken" }) });
    wires[1]!.onclose();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(wires).toHaveLength(2);
    expect(links).toEqual(["connecting", "up", "connecting", "up", "taken"]);
    session.connect(); // the person wants it
    expect(wires).toHaveLength(3);
    session.close();
    wires[2]!.onclose();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(wires).toHaveLength(3);
  });
});
