import { useEffect, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import type { Signals } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { LiveSession, type LiveState } from "./live_session";
import type { PartProps } from "./part";

interface Given { number: number; value: number }
const trail = 6; // pictures of the last second: what a press will credit

/// + and - while an agent runs. A press counts for what is seen when it is made; silence says nothing.
export function Live({ part, question, draft, onDraft, active, onRow }: PartProps<Signals>) {
  const [state, setState] = useState<LiveState | null>(null);
  const [link, setLink] = useState(false);
  const [delay, setDelay] = useState<number | null>(null);
  const [size, setSize] = useState({ width: 400, height: 300 });
  const [flash, setFlash] = useState<{ value: number; key: number } | null>(null);
  const [given, setGiven] = useState<Given[]>([]);
  const session = useRef<LiveSession | null>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const strip = useRef<HTMLCanvasElement>(null);
  const count = draft?.count ?? 0;
  const name = question.id;

  useEffect(() => {
    const draw = painter(() => canvas.current, () => strip.current);
    session.current = new LiveSession(name, Date.now(), { // numbers that no earlier visit has used
      onFrame: draw, onState: setState, onHello: setSize, onStored: () => {}, onDelay: setDelay, onLink: setLink,
    });
    return () => session.current?.close();
  }, [name]);

  const tally = (by: number) => onDraft({ kind: "signals", session: name, count: Math.max(0, count + by) });
  const press = (value: number) => {
    onRow(0);
    const number = session.current!.press(value);
    setGiven((all) => [...all, { number, value }]);
    setFlash({ value, key: number });
    tally(1);
  };
  const undo = () => {
    if (!given.length) return announce("There is no press to take back");
    session.current!.undo();
    setGiven((all) => all.slice(0, -1));
    tally(-1);
    announce("Last press taken back");
  };
  const pause = () => session.current!.pause(!state?.paused);
  const speed = (factor: number) => session.current!.speed(Math.min(2, Math.max(0.25, (state?.speed ?? 1) * factor)));
  useLiveKeys(active, { press, undo, pause, speed });
  useGamepad(active, press);
  const total = (sign: number) => given.filter((each) => Math.sign(each.value) === sign).length;
  return (
    <div class="live" role="group" aria-label={part.label}>
      <div class={`screen ${flash ? (flash.value > 0 ? "good" : "bad") : ""}`} key="screen">
        <canvas ref={canvas} width={size.width} height={size.height} role="img" aria-label="What the agent does" onClick={() => press(1)} onContextMenu={(event) => { event.preventDefault(); press(-1); }} />
        {flash && <div key={flash.key} class="flash" aria-hidden="true" onAnimationEnd={() => setFlash(null)}>{flash.value > 1 ? "++" : flash.value > 0 ? "+" : "−"}</div>}
        {!link && <div class="screen-note" role="status">Connecting…</div>}
        {link && state?.paused && <div class="screen-note" role="status">Paused</div>}
      </div>
      <canvas ref={strip} class="trail" width={80 * trail} height={60} role="img" aria-label="The last second" />
      <div class="live-keys">
        <Button keep class="bad-button" action="live.bad" onClick={() => press(-1)}><span aria-hidden="true">−</span> Bad</Button>
        <Button keep class="good-button" action="live.good" onClick={() => press(1)}><span aria-hidden="true">+</span> Good</Button>
        <Button keep class="good-button" action="live.great" onClick={() => press(4)}><span aria-hidden="true">++</span> Great</Button>
        <Button keep action="live.undo" onClick={undo} disabled={!given.length}>Take back</Button>
      </div>
      <div class="live-keys">
        <Button keep kind="quiet" action="live.pause" onClick={pause}>{state?.paused ? "Go on" : "Pause"}</Button>
        <Button keep kind="quiet" action="live.slower" onClick={() => speed(0.5)}>Slower</Button>
        <output class="small" aria-label="Speed">{state?.speed ?? 1}×</output>
        <Button keep kind="quiet" action="live.faster" onClick={() => speed(2)}>Faster</Button>
      </div>
      <dl class="readout small">
        <div><dt>Presses</dt><dd data-count>{count}</dd></div>
        <div><dt>Good</dt><dd>{total(1)}</dd></div>
        <div><dt>Bad</dt><dd>{total(-1)}</dd></div>
        <div><dt>Episode</dt><dd>{state?.episode ?? "–"}</dd></div>
        <div><dt>Action</dt><dd>{state?.action === undefined || state.action === null ? "–" : String(state.action)}</dd></div>
        <div><dt>Delay</dt><dd data-delay>{delay === null ? "–" : `${Math.round(delay * 1000)} ms`}</dd></div>
      </dl>
    </div>
  );
}

function painter(canvas: () => HTMLCanvasElement | null, strip: () => HTMLCanvasElement | null) {
  let kept = 0;
  return async (_: number, picture: Blob) => {
    const image = await createImageBitmap(picture);
    const screen = canvas();
    screen?.getContext("2d")?.drawImage(image, 0, 0, screen.width, screen.height);
    const film = strip();
    const now = performance.now();
    if (film && now - kept > 1000 / trail) {
      kept = now;
      const context = film.getContext("2d")!;
      const width = film.width / trail;
      context.drawImage(film, -width, 0);
      context.drawImage(image, film.width - width, 0, width - 2, film.height);
    }
    image.close();
  };
}

interface Controls { press: (value: number) => void; undo: () => void; pause: () => void; speed: (factor: number) => void }

function useLiveKeys(active: boolean, { press, undo, pause, speed }: Controls) {
  const once = (value: number) => (event: KeyboardEvent) => { if (!event.repeat) press(value); }; // one press, one event
  useShortcut("live.good", once(1), active);
  useShortcut("live.bad", once(-1), active);
  useShortcut("live.great", once(4), active);
  useShortcut("live.undo", undo, active);
  useShortcut("live.pause", pause, active);
  useShortcut("live.slower", () => speed(0.5), active);
  useShortcut("live.faster", () => speed(2), active);
}

/// A is good, B is bad, on the first gamepad.
function useGamepad(active: boolean, press: (value: number) => void) {
  const latest = useRef(press);
  latest.current = press;
  useEffect(() => {
    if (!active || !navigator.getGamepads) return;
    const before = [false, false];
    const timer = setInterval(() => {
      const pad = navigator.getGamepads()[0];
      [1, -1].forEach((value, button) => {
        const down = pad?.buttons[button]?.pressed ?? false;
        if (down && !before[button]) latest.current(value);
        before[button] = down;
      });
    }, 15);
    return () => clearInterval(timer);
  }, [active]);
}
