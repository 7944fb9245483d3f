import { useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import "./chart.css";
import { announce } from "../announce";
import { measured, moment } from "../desk/format";
import { useSettings } from "../settings";
import { linesOf, optionsOf } from "./options";
import { positive, smooth, type Value } from "./smoothing";
import { summary } from "./summary";

export type SeriesTone = "gold" | "learned" | "judge" | "plain" | "bad";
export interface Series {
  name: string;
  tone: SeriesTone;
  values: readonly Value[];
  low?: readonly Value[];   // an interval around the values
  high?: readonly Value[];
  smooth?: boolean;         // a running mean over pale raw values
  dots?: boolean;           // few measurements: each one is a dot
  right?: boolean;          // on an axis of its own, at the right
  dashed?: boolean;
}

export interface ChartProps {
  title: string;
  hideTitle?: boolean;
  caption?: string;
  x: readonly number[];
  xName: string;
  time?: boolean;              // x is seconds since 1970
  series: Series[];
  lines?: { value: number; name: string }[]; // horizontal: a target, a landmark
  show?: (value: number) => string;
  range?: [number, number];    // shown at least
  height?: number;
  smoothing?: number;          // weight of the past, 0..1
  log?: boolean;
  sync?: string;               // charts of one name share their cursor
}

interface Prepared { data: uPlot.AlignedData; dropped: number }

/// Raw, mean, low, high of each series, in this order, after x: as options.ts expects them.
function prepare({ x, series, smoothing = 0, log }: ChartProps): Prepared {
  let dropped = 0;
  const fit = (values: readonly Value[]) => {
    if (!log) return [...values];
    const kept = positive(values);
    dropped += kept.dropped;
    return kept.values;
  };
  const columns = series.flatMap((one) => linesOf(one, smoothing).map((line) => {
    if (line === "mean") return fit(smooth(one.values, smoothing));
    return fit(line === "low" ? one.low! : line === "high" ? one.high! : one.values);
  }));
  return { data: [[...x], ...columns] as uPlot.AlignedData, dropped };
}

/// A chart for eyes, keys and screen readers: arrows move the cursor and say the values, and the numbers are in a table.
export function Chart(props: ChartProps) {
  const { title, hideTitle, caption, x, xName, series, time, height = 240, sync, smoothing = 0, log } = props;
  const { theme } = useSettings();
  const show = props.show ?? measured;
  const showX = (value: number) => (time ? moment(value) : measured(value));
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [at, setAt] = useState<number | null>(null);
  const { data, dropped } = useMemo(() => prepare(props), [x, series, smoothing, log]);
  const name = useId();
  // A chart is made anew when its lines change, not when its values do.
  const shape = JSON.stringify([series.map((one) => [one.name, linesOf(one, smoothing), one.right, one.tone]), log, time, sync, height, props.lines, props.range]);

  useEffect(() => {
    const options = optionsOf(latest.current, box.current!, setAt);
    const made = new uPlot({ ...options, width: box.current!.clientWidth || 300, height }, data, box.current!);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: box.current?.clientWidth || 300, height }));
    watch.observe(box.current!);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const redraw = () => made.redraw(false);
    dark.addEventListener("change", redraw);
    return () => { watch.disconnect(); dark.removeEventListener("change", redraw); made.destroy(); plot.current = null; };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [data]);
  useEffect(() => plot.current?.redraw(false), [theme]);

  const move = (event: KeyboardEvent) => {
    const end = x.length - 1;
    const next = { ArrowLeft: Math.max(0, (at ?? x.length) - 1), ArrowRight: Math.min(end, (at ?? -1) + 1), Home: 0, End: end }[event.key];
    if (next === undefined || end < 0) return;
    event.preventDefault();
    const made = plot.current!;
    made.setCursor({ left: made.valToPos(x[next]!, "x"), top: made.bbox.height / devicePixelRatio / 2 });
    announce(`${xName} ${showX(x[next]!)}: ${series.map((one) => `${one.name} ${say(one.values[next])}`).join(", ")}`);
  };
  const say = (value: Value | undefined) => (value === null || value === undefined ? "none" : show(value));
  const place = at ?? x.length - 1;

  return (
    <figure class="chart">
      <figcaption id={name}>
        <span class={hideTitle ? "unseen" : "chart-title"}>{title}</span>
        {caption && <span class="chart-caption">{caption}</span>}
      </figcaption>
      <div class="legend small">
        {series.map((one) => (
          <span key={one.name} class={`key-${one.tone}`}><i class={one.dashed ? "key-line dashed" : "key-line"} aria-hidden="true" />{one.name} <b class="figure">{say(newest(one.values, place))}</b></span>
        ))}
        {(props.lines ?? []).map((line) => <span key={line.name}><i class="key-line dotted" aria-hidden="true" />{line.name} <b class="figure">{show(line.value)}</b></span>)}
        <span class="legend-x soft figure">{at === null ? "" : `${xName} ${showX(x[at]!)}`}</span>
      </div>
      <div
        ref={box} class="plot" style={{ height: `${height}px` }} role="img" tabIndex={0} onKeyDown={move}
        aria-label={`${title}. ${summary(series, x, xName, show, showX)} Arrow keys read the values.`}
      />
      {dropped > 0 && <p class="small soft">{dropped} values at or below zero have no place on a logarithmic axis.</p>}
      <Numbers {...props} show={show} showX={showX} />
    </figure>
  );
}

/// The last value at or before `place`: measurements may be rarer than steps.
function newest(values: readonly Value[], place: number): Value {
  for (let i = Math.min(place, values.length - 1); i >= 0; --i) if (values[i] !== null && values[i] !== undefined) return values[i]!;
  return null;
}

const most = 40; // rows of a table that somebody still reads

function Numbers({ title, x, xName, series, show, showX }: ChartProps & { show: (value: number) => string; showX: (value: number) => string }) {
  const [open, setOpen] = useState(false);
  const rows = x.map((_, index) => index).filter((index) => series.some((one) => one.values[index] !== null && one.values[index] !== undefined));
  const stride = Math.ceil(rows.length / most) || 1;
  const kept = rows.filter((_, index) => index % stride === 0 || index === rows.length - 1);
  return (
    <details class="chart-numbers" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="small" aria-label={`${title}: as a table`}>Table</summary>
      {open && (
        <div class="scroll" tabIndex={0} role="region" aria-label={`${title}, values`}>
          <table class="table">
            <thead><tr><th scope="col">{xName}</th>{series.map((one) => <th key={one.name} scope="col" class="num">{one.name}</th>)}</tr></thead>
            <tbody>
              {kept.map((index) => (
                <tr key={index}><th scope="row">{showX(x[index]!)}</th>{series.map((one) => <td key={one.name} class="num">{one.values[index] == null ? "–" : show(one.values[index]!)}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
