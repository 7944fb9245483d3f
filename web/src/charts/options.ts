// How charts are drawn: colours from the page's tokens at the moment of drawing, so that light and dark need no second chart.

import uPlot from "uplot";
import { measured } from "../desk/format";
import type { ChartProps, Series } from "./Chart";

export type Line = "raw" | "mean" | "low" | "high";

/// The lines that a series is drawn with, in the order of its columns.
export function linesOf(series: Pick<Series, "smooth" | "low" | "high">, smoothing: number): Line[] {
  const lines: Line[] = ["raw"];
  if (series.smooth && smoothing > 0) lines.push("mean");
  if (series.low && series.high) lines.push("low", "high");
  return lines;
}

/// Tokens are `light-dark(...)`: the browser resolves them on an element only.
function colour(box: HTMLElement, token: string, alpha = 1): string {
  const probe = box.ownerDocument.createElement("i");
  probe.style.color = `var(--${token})`;
  box.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  if (alpha === 1) return found;
  return found.replace(/^rgba?\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts.split(",").slice(0, 3).join(",")}, ${alpha})`);
}

const number = (u: uPlot, values: number[]) => values.map((value) => tick(value, u));

/// Ticks are round numbers: no trailing zeros.
function tick(value: number | null, _: uPlot): string {
  if (value === null) return "";
  const text = measured(value);
  return text.includes("e") ? text : text.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
}

function lineOptions(box: HTMLElement, series: Series, line: Line, lines: Line[], spread: boolean): uPlot.Series {
  const faint = line === "raw" && lines.includes("mean");
  const edge = line === "low" || line === "high";
  return {
    label: series.name,
    scale: series.right ? "right" : "y",
    stroke: () => (edge ? "transparent" : colour(box, series.tone, faint ? 0.3 : 1)),
    width: faint ? 1 : edge ? 0 : 2,
    dash: series.dashed ? [5, 4] : undefined,
    spanGaps: !!series.dots || spread,
    points: edge ? { show: false } : series.dots ? { show: true, size: 6, width: 1.8, fill: () => colour(box, "surface") } : { show: false },
    cap: "round",
  };
}

/// Targets and landmarks, dotted, under the curves.
function drawLines(box: HTMLElement, lines: ChartProps["lines"]) {
  return (u: uPlot) => {
    for (const line of lines ?? []) {
      const y = u.valToPos(line.value, "y", true);
      if (!(y >= u.bbox.top && y <= u.bbox.top + u.bbox.height)) continue;
      u.ctx.save();
      u.ctx.strokeStyle = colour(box, "text-soft");
      u.ctx.lineWidth = devicePixelRatio;
      u.ctx.setLineDash([3 * devicePixelRatio, 4 * devicePixelRatio]);
      u.ctx.beginPath();
      u.ctx.moveTo(u.bbox.left, y);
      u.ctx.lineTo(u.bbox.left + u.bbox.width, y);
      u.ctx.stroke();
      u.ctx.restore();
    }
  };
}

function rangeOf(props: ChartProps): uPlot.Scale.Range | undefined {
  const { range, lines = [], log } = props;
  if (log) return undefined;
  const marks = [...(range ?? []), ...lines.map((line) => line.value)];
  return (_, low, high) => {
    const from = Math.min(low ?? Infinity, ...marks), to = Math.max(high ?? -Infinity, ...marks);
    if (!Number.isFinite(from) || !Number.isFinite(to)) return [0, 1];
    return range && from >= range[0] && to <= range[1] ? range : uPlot.rangeNum(from, to, 0.08, true);
  };
}

function axis(box: HTMLElement, more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: () => colour(box, "text-soft"),
    grid: { stroke: () => colour(box, "hair"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
    gap: 6,
    ...more,
  };
}

export function optionsOf(props: ChartProps, box: HTMLElement, onMove: (index: number | null) => void): Omit<uPlot.Options, "width" | "height"> {
  const { series, smoothing = 0, log, time, sync, show } = props;
  const all: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const one of series) {
    const lines = linesOf(one, smoothing);
    for (const line of lines) all.push(lineOptions(box, one, line, lines, !!one.low));
    if (lines.includes("high")) bands.push({ series: [all.length - 1, all.length - 2], fill: () => colour(box, one.tone, 0.14) });
  }
  const right = series.find((one) => one.right);
  const left = right ? series.find((one) => !one.right) : undefined;
  const y = { distr: log ? 3 : 1, range: rangeOf(props) } as uPlot.Scale;
  return {
    series: all,
    bands,
    scales: { x: { time: !!time }, y, ...(right ? { right: { distr: log ? 3 : 1 } as uPlot.Scale } : {}) },
    axes: [
      axis(box, { size: 28, grid: { show: false }, space: 70, ...(time ? {} : { values: number, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6] }) }),
      axis(box, { size: 46, space: 36, values: show ? (_, values) => values.map((value) => (value === null ? "" : show(value).replace(/\.0+%$/, "%"))) : number, ...(left ? { stroke: () => colour(box, left.tone) } : {}) }),
      ...(right ? [axis(box, { scale: "right", side: 1, size: 46, space: 36, grid: { show: false }, values: number, stroke: () => colour(box, right.tone) })] : []),
    ],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 7, width: 1.5 },
      drag: { x: true, y: false },
      ...(sync ? { sync: { key: sync, scales: ["x", null] } } : {}),
    },
    hooks: { drawAxes: [drawLines(box, props.lines)], setCursor: [(u) => onMove(u.cursor.left !== undefined && u.cursor.left >= 0 ? u.cursor.idx ?? null : null)] },
  };
}
