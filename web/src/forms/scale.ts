import type { Comparison, Part } from "../api";
import { letter } from "./draft";

/// One answer of a comparison of two, as it stands on the scale from A to B.
export interface Step { label: string; short: string; said: Comparison }

const comparison = (best: number, strength = 1): Comparison => ({ kind: "comparison", best, tie: false, strength, both_bad: false, incomparable: false });

export const tie: Comparison = { ...comparison(0), tie: true };
export const bothBad: Comparison = { ...tie, both_bad: true };
export const incomparable: Comparison = { ...comparison(0), incomparable: true };

const word = (part: Part) => (part.worse ? "worse" : "better");
const phrase = (part: Part, who: string, level: string) => (/better|worse/.test(level) ? `${who} ${level}` : `${who} ${level} ${word(part)}`);

/// Of n items, this one, with the strength of a level counted from 1 (the weakest).
export function choose(part: Part, item: number, level = part.levels.length): Comparison {
  return comparison(item, part.levels.length ? level / part.levels.length : 1);
}

/// From "A, strongest" over the tie, where it is allowed, to "B, strongest": 2L or 2L + 1 steps for L levels.
export function scaleOf(part: Part): Step[] {
  const levels = part.levels.length ? part.levels : [word(part)];
  const side = (item: number) => levels.map((level, place): Step => ({
    label: phrase(part, letter(item), level), short: level, said: choose(part, item, place + 1),
  }));
  const middle: Step[] = part.allow_tie ? [{ label: "Equally good", short: "equal", said: tie }] : [];
  return [...side(0).reverse(), ...middle, ...side(1)];
}

export function same(a: Comparison | undefined, b: Comparison): boolean {
  return !!a && a.best === b.best && a.tie === b.tie && a.both_bad === b.both_bad && a.incomparable === b.incomparable && Math.abs(a.strength - b.strength) < 1e-9;
}

/// Where an arrow leads: one step along the scale; from nowhere to the weakest step of that side.
export function move(steps: Step[], now: Comparison | undefined, direction: -1 | 1): Comparison {
  const place = steps.findIndex((step) => same(now, step.said));
  if (place >= 0) return steps[Math.min(steps.length - 1, Math.max(0, place + direction))]!.said;
  const half = steps.length / 2;
  return steps[direction < 0 ? Math.ceil(half) - 1 - (steps.length % 2) : Math.floor(half) + (steps.length % 2)]!.said;
}

/// In words, for the live region and the history.
export function words(part: Part, said: Comparison, items: number): string {
  if (said.incomparable) return "Cannot be compared";
  if (said.both_bad) return items > 2 ? "All are bad" : "Both are bad";
  if (said.tie) return "Equally good";
  const level = part.levels[Math.round(said.strength * part.levels.length) - 1];
  return level ? phrase(part, letter(said.best), level) : `${letter(said.best)} is ${items > 2 ? "the best" : word(part)}`;
}
