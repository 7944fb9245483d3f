import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, socket } from "../api";

export interface Loaded<T> {
  value: T | null;
  fault: ApiError | null;
  busy: boolean;
  reload: () => void;
  set: (value: T) => void;
}

/// What `load` brings, again whenever one of `needs` changes. The old value stays on the screen until the new one is there.
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, needs: unknown[] = []): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; fault: ApiError | null; busy: boolean }>({ value: null, fault: null, busy: true });
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;
  useEffect(() => {
    const stop = new AbortController();
    setState((old) => ({ ...old, busy: true }));
    latest.current(stop.signal).then(
      (value) => stop.signal.aborted || setState({ value, fault: null, busy: false }),
      (fault) => stop.signal.aborted || setState((old) => ({ value: old.value, fault: asFault(fault), busy: false })),
    );
    return () => stop.abort();
  }, [turn, ...needs]);
  const reload = useCallback(() => setTurn((old) => old + 1), []);
  const set = useCallback((value: T) => setState({ value, fault: null, busy: false }), []);
  return { ...state, reload, set };
}

export const asFault = (fault: unknown): ApiError =>
  fault instanceof ApiError ? fault : new ApiError(0, fault instanceof Error ? fault.message : String(fault));

/// Calls back while the page is in view, every `seconds`; 0 = never.
export function useEvery(seconds: number, run: () => void): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!seconds) return;
    const timer = setInterval(() => document.hidden || latest.current(), seconds * 1000);
    return () => clearInterval(timer);
  }, [seconds]);
}

/// Hears the server's news of changed counts. Opens again with growing pauses; true while the line is open.
export function useNews(heard: (news: Record<string, unknown>) => void): boolean {
  const [open, setOpen] = useState(false);
  const latest = useRef(heard);
  latest.current = heard;
  useEffect(() => {
    let line: WebSocket | undefined;
    let timer: ReturnType<typeof setTimeout>;
    let pause = 1;
    let over = false;
    const connect = () => {
      line = socket("/api/owner/live");
      line.onopen = () => { pause = 1; setOpen(true); };
      line.onmessage = (event) => { if (typeof event.data === "string") latest.current(JSON.parse(event.data)); };
      line.onclose = () => {
        if (over) return;
        setOpen(false);
        timer = setTimeout(connect, 1000 * pause);
        pause = Math.min(30, pause * 2);
      };
    };
    connect();
    return () => { over = true; clearTimeout(timer); line?.close(); };
  }, []);
  return open;
}

/// A value that settles: for searching while somebody types.
export function useSettled<T>(value: T, seconds = 0.25): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), seconds * 1000);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/// What this browser remembers for the owner: wage, smoothing, and the like.
export function useKept<T>(name: string, first: T): [T, (value: T) => void] {
  const place = `rlhf.${name}`;
  const [value, setValue] = useState<T>(() => {
    try {
      return JSON.parse(localStorage.getItem(place) ?? "null") ?? first;
    } catch {
      return first;
    }
  });
  const keep = (next: T) => {
    setValue(next);
    try {
      localStorage.setItem(place, JSON.stringify(next));
    } catch {
      // Kept until the page closes.
    }
  };
  return [value, keep];
}
