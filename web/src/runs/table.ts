// Rows of a run's log, as columns that a chart can draw: one x for every step, a gap where a row does not name a metric.

import type { Value } from "../charts/smoothing";

export interface Row {
  step: number;
  [name: string]: unknown;
}

export class Columns {
  readonly steps: number[] = [];
  private readonly values = new Map<string, Value[]>();
  private readonly index = new Map<number, number>();

  /** Adds rows. Rows of one step are one point; a later row of a step wins; a step that comes late is put in its place. */
  add(rows: readonly Row[]): void {
    for (const row of rows) {
      if (typeof row.step !== "number" || !Number.isFinite(row.step)) continue;
      const at = this.place(row.step);
      for (const [name, value] of Object.entries(row)) {
        if (name !== "step" && typeof value === "number") this.column(name)[at] = Number.isFinite(value) ? value : null;
      }
    }
  }

  get names(): string[] {
    return [...this.values.keys()].sort();
  }

  get last(): number | null {
    return this.steps.length ? this.steps[this.steps.length - 1]! : null;
  }

  /** As long as `steps`. */
  column(name: string): Value[] {
    let found = this.values.get(name);
    if (!found) this.values.set(name, (found = new Array<Value>(this.steps.length).fill(null)));
    return found;
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  newest(name: string): Value {
    const values = this.values.get(name) ?? [];
    for (let i = values.length - 1; i >= 0; --i) if (values[i] !== null) return values[i]!;
    return null;
  }

  private place(step: number): number {
    const known = this.index.get(step);
    if (known !== undefined) return known;
    let at = this.steps.length;
    while (at > 0 && this.steps[at - 1]! > step) --at;
    this.steps.splice(at, 0, step);
    for (const values of this.values.values()) values.splice(at, 0, null);
    for (let i = at; i < this.steps.length; ++i) this.index.set(this.steps[i]!, i);
    return at;
  }
}
