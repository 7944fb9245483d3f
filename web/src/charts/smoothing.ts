// The running mean that charts draw over the raw values.

export type Value = number | null;

/**
 * Exponential moving average with the bias of the first steps taken out, so that a curve starts where its data starts.
 * `weight` is how much of the past stays, 0 (none) to below 1. Gaps stay gaps and don't count as a step.
 */
export function smooth(values: readonly Value[], weight: number): Value[] {
  if (!(weight > 0)) return [...values];
  let mean = 0;
  let mass = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    mean = weight * mean + (1 - weight) * value;
    mass = weight * mass + (1 - weight);
    return mean / mass;
  });
}

/** A logarithmic axis has no place for zero and below: those points are left out, and counted. */
export function positive(values: readonly Value[]): { values: Value[]; dropped: number } {
  let dropped = 0;
  const kept = values.map((value) => {
    if (value === null || value > 0) return value;
    dropped += 1;
    return null;
  });
  return { values: kept, dropped };
}
