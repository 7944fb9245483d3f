import { useMemo, useState } from "preact/hooks";
import { Chart, type Series } from "../charts/Chart";
import { Switch } from "../components/Field";
import { useKept } from "../desk/load";
import { Empty } from "../desk/parts";
import { klTarget, otherMetrics, shownPanels, type Curve, type Panel } from "./panels";
import { readSettings } from "./settings";
import type { Columns } from "./table";

interface Shared { columns: Columns; version: number; smoothing: number; log: boolean }

function seriesOf(columns: Columns, curve: Curve): Series {
  const edge = (metric?: string) => (metric && columns.has(metric) ? [...columns.column(metric)] : undefined);
  return {
    name: curve.name, tone: curve.tone, smooth: curve.smooth, dots: curve.dots, right: curve.right, dashed: curve.dashed,
    values: [...columns.column(curve.metric)], low: edge(curve.low), high: edge(curve.high),
  };
}

function PanelChart({ panel, target, columns, version, smoothing, log }: Shared & { panel: Panel; target: number | null }) {
  const x = useMemo(() => [...columns.steps], [version]);
  const series = useMemo(() => panel.curves.map((curve) => seriesOf(columns, curve)), [version, panel.title]);
  const paired = series.length > 1 || !series[0]?.right;
  return (
    <Chart
      title={panel.title} caption={panel.caption} x={x} xName="Step" sync="run" height={200} smoothing={smoothing} log={log}
      series={paired ? series : series.map((one) => ({ ...one, right: false }))}
      range={panel.from_zero ? [0, 0] : undefined}
      lines={panel.line && target !== null ? [{ value: target, name: "Target" }] : undefined}
    />
  );
}

function Others({ names, ...shared }: Shared & { names: string[] }) {
  const [words, setWords] = useState("");
  const [open, setOpen] = useState<string[]>([]);
  const found = names.filter((name) => name.toLowerCase().includes(words.trim().toLowerCase()));
  const flip = (name: string) => setOpen(open.includes(name) ? open.filter((each) => each !== name) : [...open, name]);
  return (
    <section class="others" aria-label="Other metrics">
      <div class="others-head">
        <h2>Other metrics</h2>
        <input class="input" type="search" aria-label="Find a metric" placeholder={`Find among ${names.length}`} value={words} onInput={(event) => setWords(event.currentTarget.value)} />
      </div>
      <div class="metric-names" role="group" aria-label="Metrics to show">
        {found.map((name) => <button key={name} type="button" class="metric-chip" aria-pressed={open.includes(name)} onClick={() => flip(name)}>{name}</button>)}
        {found.length === 0 && <p class="soft small">No metric is called so.</p>}
      </div>
      {open.length > 0 && (
        <div class="chart-grid">
          {open.map((name) => <div key={name} class="panel"><PanelChart {...shared} target={null} panel={{ title: name, caption: "", curves: [{ metric: name, name: "Value", tone: "plain", smooth: true }] }} /></div>)}
        </div>
      )}
    </section>
  );
}

/// All curves of a run. One cursor goes through them; a dragged range zooms, a double click shows everything again.
export function Charts({ columns, version, toml }: { columns: Columns; version: number; toml: string }) {
  const [smoothing, setSmoothing] = useKept("runs.smoothing", 0.6);
  const [log, setLog] = useState(false);
  const target = useMemo(() => klTarget(readSettings(toml)), [toml]);
  const shared = { columns, version, smoothing, log };
  const shown = shownPanels(columns);
  if (shown.length === 0 && columns.names.length === 0) return <Empty title="Nothing logged yet">Curves appear with the first step.</Empty>;
  return (
    <>
      <div class="chart-tools">
        <label class="smoothing small">Smoothing
          <input type="range" min="0" max="0.95" step="0.05" value={smoothing} aria-valuetext={`${Math.round(100 * smoothing)}%`} onInput={(event) => setSmoothing(event.currentTarget.valueAsNumber)} />
          <output class="figure">{Math.round(100 * smoothing)}%</output>
        </label>
        <Switch label="Logarithmic" checked={log} onChange={setLog} />
        <p class="soft small hint">Drag to zoom, double-click to reset.</p>
      </div>
      <div class="chart-grid">
        {shown.map((panel) => <div key={panel.title} class="panel"><PanelChart {...shared} panel={panel} target={target} /></div>)}
      </div>
      <Others {...shared} names={otherMetrics(columns)} />
    </>
  );
}
