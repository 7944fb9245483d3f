import { useEffect, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import { toast } from "../components/Toast";
import { useShortcut } from "../shortcuts";
import { HeldKeys, keyName } from "./held";
import { PlaySession, type Link, type PlayHello, type PlayState } from "./play_session";

const number = new Intl.NumberFormat("en", { maximumFractionDigits: 2 });
export const figure = (value: number) => number.format(value);

export interface Playing {
  link: Link;
  hello: PlayHello | null;
  state: PlayState | null;
  held: ReadonlySet<string>;
  hold: (keys: string[], down: boolean) => void; // a button of the page
  pause: () => void;
  speed: (factor: number) => void;
  reset: () => void;
  keep: () => void;
  throwAway: () => void;
  takeOver: () => void;
}

/// The game of this page: the wire, the keys, and what is said to those who do not see.
export function usePlay(draw: (picture: Blob) => void): Playing {
  const [link, setLink] = useState<Link>("connecting");
  const [hello, setHello] = useState<PlayHello | null>(null);
  const [state, setState] = useState<PlayState | null>(null);
  const [held, setHeld] = useState<ReadonlySet<string>>(new Set());
  const session = useRef<PlaySession | null>(null);

  useEffect(() => {
    session.current = new PlaySession({
      onHello: setHello, onState: setState, onLink: setLink, onFrame: draw,
      onFault: ({ what, fix }) => toast(`${what} ${fix}`, { tone: "bad" }),
    });
    return () => session.current?.close();
  }, []);

  const hold = (keys: string[], down: boolean) => {
    keys.forEach((key) => session.current!.key(key, down));
    setHeld((before) => {
      const after = new Set(before);
      keys.forEach((key) => (down ? after.add(key) : after.delete(key)));
      return after;
    });
  };
  useGameKeys(hello, hold, () => {
    session.current!.release();
    setHeld(new Set());
    session.current!.pause(true);
  });
  useEndings(state);

  const live = !!hello && !hello.turns;
  const pause = () => session.current!.pause(state?.phase === "running");
  const speed = (factor: number) => session.current!.speed((state?.speed ?? 1) * factor);
  const reset = () => session.current!.reset();
  const keep = () => session.current!.keep();
  const throwAway = () => session.current!.throwAway();
  useShortcut("play.pause", pause, live);
  useShortcut("play.slower", () => speed(0.5), live);
  useShortcut("play.faster", () => speed(2), live);
  useShortcut("play.reset", reset);
  useShortcut("play.keep", keep, !!hello?.out);
  useShortcut("play.throw_away", throwAway, !!hello?.out);
  return { link, hello, state, held, hold, pause, speed, reset, keep, throwAway, takeOver: () => session.current!.connect() };
}

const elsewhere = (target: EventTarget | null) => !!(target as Element | null)?.closest?.("input, textarea, select, dialog");

/// Keys of the game, which are held; `lost`: the page has lost them.
function useGameKeys(hello: PlayHello | null, hold: (keys: string[], down: boolean) => void, lost: () => void): void {
  const latest = useRef({ hold, lost });
  latest.current = { hold, lost };
  useEffect(() => {
    if (!hello) return;
    const known = new Set(hello.keys.flatMap((each) => each.chords.flat()));
    const held = new HeldKeys();
    const down = (event: KeyboardEvent) => {
      if (event.defaultPrevented || elsewhere(event.target)) return;
      if (known.has(keyName(event) ?? "")) event.preventDefault(); // repeats too: the page must not scroll
      const name = held.down(event, (each) => known.has(each));
      if (name) latest.current.hold([name], true);
    };
    const up = (event: KeyboardEvent) => {
      const name = held.up(event);
      if (name) latest.current.hold([name], false);
    };
    const away = () => {
      held.clear();
      latest.current.lost();
    };
    const hidden = () => document.hidden && away();
    addEventListener("keydown", down);
    addEventListener("keyup", up);
    addEventListener("blur", away);
    document.addEventListener("visibilitychange", hidden);
    return () => {
      removeEventListener("keydown", down);
      removeEventListener("keyup", up);
      removeEventListener("blur", away);
      document.removeEventListener("visibilitychange", hidden);
    };
  }, [hello]);
}

/// Says aloud what ends, and what becomes of it.
function useEndings(state: PlayState | null): void {
  const last = state?.last ?? null;
  const before = useRef<{ episode: number; kept: boolean } | null>(null);
  useEffect(() => {
    const known = before.current;
    before.current = last && { episode: last.episode, kept: last.kept };
    if (!last || (!known && state!.phase !== "over")) return;
    if (known?.episode === last.episode && known.kept === last.kept) return;
    const fate = last.kept ? "Kept" : "Not kept";
    announce(known?.episode === last.episode ? `Episode ${last.episode}: ${fate.toLowerCase()}` : `Episode ${last.episode} is over: return ${figure(last.return)}, ${last.steps} steps. ${fate}`);
  }, [last?.episode, last?.kept]);
}
