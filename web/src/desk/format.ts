// Numbers, times and intervals as people read them. Absent values are an en dash, never "NaN" or "null".

export const nothing = "–";

/** What the server says of a quantity it estimates. */
export interface Estimate {
  value: number;
  low?: number | null;
  high?: number | null;
  n?: number;
}

export const known = (value: number | null | undefined): value is number => typeof value === "number" && Number.isFinite(value);

export function count(value: number | null | undefined): string {
  return known(value) ? Math.round(value).toLocaleString("en-US") : nothing;
}

/** 0.7312 → "73%"; with `digits` = 1, "73.1%". */
export function percent(share: number | null | undefined, digits = 0): string {
  return known(share) ? `${(100 * share).toFixed(digits)}%` : nothing;
}

/** A measured number: about four digits that mean something, and never more than a column can hold. */
export function measured(value: number | null | undefined): string {
  if (!known(value)) return nothing;
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return minus(value.toLocaleString("en-US"));
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace("e+", "e").replace("-", "−");
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : 3;
  const text = size < 0.01 ? value.toPrecision(2) : value.toFixed(digits);
  return minus(size >= 1000 ? Number(text).toLocaleString("en-US") : text);
}

/** A typographic minus, as wide as the digits beside it. */
export const minus = (text: string): string => text.replace(/^-/, "−");

export function interval(estimate: Estimate | null | undefined, show: (value: number) => string): string {
  if (!estimate || !known(estimate.low) || !known(estimate.high)) return "";
  return `${show(estimate.low)} to ${show(estimate.high)}`;
}

/** 5400 → "1 h 30 min"; two units at most. */
export function duration(seconds: number | null | undefined): string {
  if (!known(seconds) || seconds < 0) return nothing;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const units: [number, string][] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = units.findIndex(([size]) => whole >= size);
  const [large, largeName] = units[first]!;
  const [small, smallName] = units[first + 1]!;
  const rest = Math.floor((whole % large) / small);
  const head = `${Math.floor(whole / large)} ${largeName}`;
  return rest > 0 && !(largeName === "min" && whole >= 600) ? `${head} ${rest} ${smallName}` : head;
}

/** "4 min ago", "yesterday", or the day. Both are seconds since 1970. */
export function ago(at: number | null | undefined, now: number): string {
  if (!known(at) || at <= 0) return nothing;
  const past = now - at;
  if (past < 45) return "just now";
  if (past < 3600) return `${Math.max(1, Math.round(past / 60))} min ago`;
  if (past < 86400) return `${Math.round(past / 3600)} h ago`;
  if (past < 172800) return "yesterday";
  return day(at);
}

export function day(at: number): string {
  return new Date(at * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

export function moment(at: number): string {
  return new Date(at * 1000).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

export function money(amount: number, currency: string): string {
  const digits = amount >= 1000 ? 0 : 2;
  return `${currency}${amount.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}

/** "1 answer", "2 answers". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${Math.round(value) === 1 ? one : many}`;
}

/** The first line of a text, short enough for a row of a table. */
export function shorten(text: string, length = 120): string {
  const line = text.replace(/\s+/g, " ").trim();
  const letters = [...line];
  return letters.length <= length ? line : `${letters.slice(0, length - 1).join("").trimEnd()}…`;
}

/** Seconds since 1970, from a number or an ISO date: run folders write the latter. */
export function seconds(at: number | string | null | undefined): number | null {
  if (typeof at === "number") return at;
  const parsed = at ? Date.parse(at) : NaN;
  return Number.isNaN(parsed) ? null : parsed / 1000;
}
