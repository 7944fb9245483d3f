import { useState } from "preact/hooks";
import { Switch, TextField } from "../components/Field";
import { Empty, Panel } from "../desk/parts";
import { readSettings, type Group } from "./settings";
import type { RunSettings } from "./types";

function GroupTable({ group }: { group: Group }) {
  return (
    <Panel title={group.name || "Top"}>
      <table class="table settings">
        <thead class="unseen"><tr><th scope="col">Setting</th><th scope="col">Value</th><th scope="col">Where it comes from</th></tr></thead>
        <tbody>
          {group.settings.map((one) => (
            <tr key={one.key} class={one.changed ? "chosen" : ""}>
              <th scope="row"><code>{one.key}</code></th><td><code>{one.unset ? "not set" : one.value}</code></td><td class="soft">{one.origin}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

/// Facts about where the run ran: flat, in the words of run.json.
function facts(run: Record<string, unknown> | null): [string, string][] {
  const starts = (run?.starts as { time?: string; command?: string | null; machine?: Record<string, unknown> }[] | undefined) ?? [];
  const last = starts[starts.length - 1];
  const text = (value: unknown) => (value === null || value === undefined ? "" : String(value));
  const list: [string, string][] = [
    ["Recipe or algorithm", text(run?.name ?? run?.algorithm)], ["Preset", text(run?.preset)], ["Command", text(last?.command)], ["Started", text(last?.time)],
    ["Times started", starts.length ? String(starts.length) : ""], ["Program", text(last?.machine?.release)], ["LibTorch", text(last?.machine?.torch)], ["Processor", text(last?.machine?.processor)],
    ["Threads", text(last?.machine?.threads)], ["System", text(last?.machine?.system)],
  ];
  return list.filter(([, value]) => value !== "");
}

/// The resolved configuration: every value, and who set it.
export function Settings({ settings }: { settings: RunSettings }) {
  const [changedOnly, setChangedOnly] = useState(false);
  const [words, setWords] = useState("");
  const groups = readSettings(settings.toml)
    .map((group) => ({ ...group, settings: group.settings.filter((one) => (!changedOnly || one.changed) && `${group.name}.${one.key}`.includes(words.trim().toLowerCase())) }))
    .filter((group) => group.settings.length > 0);
  const known = facts(settings.run);
  return (
    <>
      {known.length > 0 && <Panel title="This run"><dl class="definition">{known.map(([name, value]) => <><dt>{name}</dt><dd>{value}</dd></>)}</dl></Panel>}
      <div class="toolbar">
        <div class="grow"><TextField label="Find" type="search" placeholder="learning_rate" value={words} onInput={(event) => setWords(event.currentTarget.value)} /></div>
        <Switch label="Only what is not default" checked={changedOnly} onChange={setChangedOnly} />
      </div>
      {groups.length === 0 && <Panel><Empty title="Nothing found" /></Panel>}
      <div class="setting-groups">{groups.map((group) => <GroupTable key={group.name} group={group} />)}</div>
    </>
  );
}
