import { useEffect, useRef, useState } from "preact/hooks";
import { duration, seconds } from "../desk/format";
import { Head } from "../desk/Frame";
import { asFault, useEvery, useLoaded, type Loaded } from "../desk/load";
import { Fault, Shown } from "../desk/parts";
import type { ApiError } from "../api";
import { Link } from "../router";
import { Charts } from "./Charts";
import { StateBadge } from "./RunList";
import { Samples } from "./Samples";
import { Settings } from "./Settings";
import { Columns } from "./table";
import { runs, type RunEntry, type RunSettings } from "./types";

/// Metrics as they are written: only rows after the last one seen are asked for.
function useMetrics(name: string, every: number): { columns: Columns; version: number; fault: ApiError | null } {
  const columns = useRef(new Columns());
  const seen = useRef(-1);
  const [state, setState] = useState<{ version: number; fault: ApiError | null }>({ version: 0, fault: null });
  const busy = useRef(false);
  const read = async () => {
    if (busy.current) return;
    busy.current = true;
    try {
      const [{ rows, last }, evaluation] = await Promise.all([runs.metrics(name, seen.current), runs.evaluation(name)]);
      columns.current.add(rows);
      columns.current.add(evaluation.rows.map(({ step, ...rest }) => ({ step, ...prefixed(rest) })));
      if (last !== null) seen.current = Math.max(seen.current, last);
      setState((old) => (rows.length || old.version === 0 || old.fault ? { version: old.version + 1, fault: null } : old));
    } catch (fault) {
      setState((old) => ({ ...old, fault: asFault(fault) }));
    } finally {
      busy.current = false;
    }
  };
  useEffect(() => void read(), [name]);
  useEvery(every, read);
  return { columns: columns.current, ...state };
}

const prefixed = (row: Record<string, unknown>) => Object.fromEntries(Object.entries(row).map(([name, value]) => [`evaluation/${name}`, value]));

function Verdict({ settings }: { settings: RunSettings }) {
  const { verdict } = settings;
  if (!verdict) return null;
  return (
    <section class={`run-verdict ${verdict.outcome}`} aria-label="Verdict">
      <p class="verdict-text">{verdict.headline}</p>
      {verdict.findings?.length > 0 && <ul class="small">{verdict.findings.map((finding) => <li key={finding.code}>{finding.serious && <strong>Serious: </strong>}{finding.text}</li>)}</ul>}
    </section>
  );
}

const parts = [["", "Curves"], ["samples", "Samples"], ["settings", "Settings"]] as const;

function lead(run: RunEntry | undefined): string {
  if (!run) return "";
  const started = seconds(run.started_at), updated = seconds(run.updated_at);
  const took = started && updated ? `, ${duration(updated - started)}` : "";
  return `${run.algorithm}, step ${run.step}${run.steps ? ` of ${run.steps}` : ""}${took}`;
}

function Curves({ name, settings, live }: { name: string; settings: Loaded<RunSettings>; live: boolean }) {
  const { columns, version, fault } = useMetrics(name, live ? 2 : 0);
  if (fault && version === 0) return <Fault fault={fault} />;
  return (
    <>
      {settings.value && <Verdict settings={settings.value} />}
      {fault && <Fault fault={fault} />}
      {version > 0 && <Charts columns={columns} version={version} toml={settings.value?.toml ?? ""} />}
    </>
  );
}

/// One run: its curves, what it writes, and the settings it was started with.
export default function Run({ name, part }: { name: string; part: string }) {
  const entry = useLoaded(async (signal) => (await runs.list(signal)).runs.find((run) => run.name === name) ?? null, [name]);
  const settings = useLoaded((signal) => runs.settings(name, signal), [name]);
  const live = entry.value?.state === "running";
  useEvery(live ? 5 : 0, entry.reload);
  const base = `/runs/${encodeURIComponent(name)}`;
  return (
    <>
      <Head title={name} lead={lead(entry.value ?? undefined)}>{entry.value && <StateBadge state={entry.value.state} />}</Head>
      <nav class="parts" aria-label="Parts of the run">
        {parts.map(([key, label]) => <Link key={key} href={key ? `${base}/${key}` : base} aria-current={part === key ? "page" : undefined}>{label}</Link>)}
      </nav>
      {part === "" && <Curves name={name} settings={settings} live={live} />}
      {part === "samples" && <Samples name={name} live={live} />}
      {part === "settings" && <Shown from={settings}>{(value) => <Settings settings={value} />}</Shown>}
    </>
  );
}
