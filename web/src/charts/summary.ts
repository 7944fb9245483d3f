// A chart in a sentence, for those who don't see it.

import type { Series } from "./Chart";
import type { Value } from "./smoothing";

type Show = (value: number) => string;

export function summary(series: readonly Pick<Series, "name" | "values">[], x: readonly number[], xName: string, show: Show, showX: Show): string {
  const parts = series.map(({ name, values }) => {
    const there = values.map((value, index) => [value, index] as const).filter((one): one is readonly [number, number] => isNumber(one[0]));
    if (there.length === 0) return `${name}: no values.`;
    const [first] = there, last = there[there.length - 1]!;
    const numbers = there.map(([value]) => value);
    if (there.length === 1) return `${name}: ${show(first![0])}.`;
    return `${name}: from ${show(first![0])} to ${show(last[0])}, lowest ${show(least(numbers))}, highest ${show(greatest(numbers))}.`;
  });
  const range = x.length > 1 ? `${xName} ${showX(x[0]!)} to ${showX(x[x.length - 1]!)}. ` : "";
  return range + parts.join(" ");
}

const isNumber = (value: Value | undefined): value is number => typeof value === "number";
const least = (values: number[]) => values.reduce((a, b) => Math.min(a, b));
const greatest = (values: number[]) => values.reduce((a, b) => Math.max(a, b));
