import { ago, count, duration, percent, seconds } from "../desk/format";
import { Head } from "../desk/Frame";
import { useEvery, useLoaded } from "../desk/load";
import { Badge, Empty, Panel, Scroll, Shown, type Tone } from "../desk/parts";
import { Link } from "../router";
import { runs, type RunEntry } from "./types";

const tones: Record<string, Tone> = { running: "accent", finished: "good", done: "good", failed: "bad", stopped: "warn" };

export function StateBadge({ state }: { state: string }) {
  return <Badge tone={tones[state] ?? "plain"}>{state}</Badge>;
}

function Progress({ run }: { run: RunEntry }) {
  if (!run.steps) return <span class="figure">{count(run.step)}</span>;
  const share = Math.min(1, run.step / run.steps);
  return (
    <div class="run-progress">
      <span class="figure">{count(run.step)} <span class="soft">/ {count(run.steps)}</span></span>
      <span class="meter" aria-hidden="true"><i style={{ width: percent(share, 1) }} /></span>
    </div>
  );
}

function Row({ run, now }: { run: RunEntry; now: number }) {
  const started = seconds(run.started_at), updated = seconds(run.updated_at);
  return (
    <tr>
      <th scope="row" class="text"><Link class="link" href={`/runs/${encodeURIComponent(run.name)}`}>{run.name}</Link></th>
      <td>{run.algorithm}</td>
      <td><StateBadge state={run.state} /></td>
      <td><Progress run={run} /></td>
      <td class="num soft">{ago(started, now)}</td>
      <td class="num soft">{started && updated ? duration(updated - started) : "–"}</td>
    </tr>
  );
}

/// The run folders that the server knows, newest first.
export function RunList() {
  const list = useLoaded(async (signal) => {
    const found = (await runs.list(signal)).runs;
    return found.sort((a, b) => (seconds(b.updated_at) ?? 0) - (seconds(a.updated_at) ?? 0));
  });
  useEvery(5, list.reload);
  const now = Date.now() / 1000;
  return (
    <>
      <Head title="Runs" lead="Training, live: curves, samples and settings of every run folder." />
      <Panel flush>
        <Shown from={list}>
          {(found) => (
            <Scroll label="Runs">
              <table class="table rows stack-rows">
                <thead><tr><th scope="col">Run</th><th scope="col">Algorithm</th><th scope="col">State</th><th scope="col">Step</th><th scope="col" class="num">Started</th><th scope="col" class="num">Took</th></tr></thead>
                <tbody>{found.map((run) => <Row key={run.name} run={run} now={now} />)}</tbody>
              </table>
              {found.length === 0 && <Empty title="No runs yet">Start one with <code>rlhf recipe run</code> or <code>rlhf train</code>.</Empty>}
            </Scroll>
          )}
        </Shown>
      </Panel>
    </>
  );
}
