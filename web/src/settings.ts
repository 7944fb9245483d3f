import { useEffect, useState } from "preact/hooks";

/// What a reader chose for this browser.
export interface Settings {
  theme: "system" | "light" | "dark";
  size: number;            // factor of the type scale
  sync: boolean;           // items side by side scroll together
  diff: boolean;           // differences between two items are shown
  advance: boolean;        // a plain choice is sent at once
  confidence: boolean;     // ask how sure one is
  keys: Record<string, string[]>; // shortcuts that were changed, by action
}

const plain: Settings = { theme: "system", size: 1, sync: true, diff: false, advance: true, confidence: false, keys: {} };
const place = "rlhf.settings";
const listeners = new Set<() => void>();
let now: Settings = read();

function read(): Settings {
  try {
    return { ...plain, ...JSON.parse(localStorage.getItem(place) ?? "{}") };
  } catch {
    return { ...plain };
  }
}

export function settings(): Settings {
  return now;
}

export function change(part: Partial<Settings>): void {
  now = { ...now, ...part };
  try {
    localStorage.setItem(place, JSON.stringify(now));
  } catch {
    // A browser that keeps nothing still shows the choice until the page closes.
  }
  applySettings();
  listeners.forEach((each) => each());
}

export function applySettings(): void {
  const root = document.documentElement;
  if (now.theme === "system") delete root.dataset.theme;
  else root.dataset.theme = now.theme;
  root.style.setProperty("--scale", String(now.size));
}

/// The settings; the component is drawn again when they change.
export function useSettings(): Settings {
  const [, redraw] = useState({});
  useEffect(() => {
    const seen = () => redraw({});
    listeners.add(seen);
    return () => void listeners.delete(seen);
  }, []);
  return now;
}
