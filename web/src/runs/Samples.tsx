import { useMemo, useState } from "preact/hooks";
import { Choice, Field, TextField } from "../components/Field";
import { measured, shorten } from "../desk/format";
import { useEvery, useLoaded } from "../desk/load";
import { Empty, Shown } from "../desk/parts";
import { Button } from "../components/Button";
import { byPrompt, stepsOf, type PromptSamples } from "./sample_groups";
import { runs, type Sample } from "./types";

const scores = [["gold", "Gold"], ["learned", "Proxy"], ["judge", "Judge"], ["score", "Score"], ["kl", "KL"]] as const;

function Scores({ sample }: { sample: Sample }) {
  return (
    <p class="scores small">
      {scores.map(([key, name]) => typeof sample[key] === "number" && <span key={key} class={`score-${key}`}>{name} <b class="figure">{measured(sample[key])}</b></span>)}
      {sample.finish_reason === "length" && <span>cut at the limit</span>}
    </p>
  );
}

function Completion({ sample, title }: { sample: Sample; title?: string }) {
  return <li class="completion">{title && <h3 class="small soft">{title}</h3>}<p class="prose">{sample.completion}</p><Scores sample={sample} /></li>;
}

function ByStep({ groups, steps }: { groups: PromptSamples[]; steps: number[] }) {
  const [chosen, setChosen] = useState<number | null>(null);
  const step = chosen ?? steps[steps.length - 1]!;
  const place = steps.indexOf(step);
  const shown = groups.map((group) => ({ ...group, samples: group.samples.filter((sample) => sample.step === step) })).filter((group) => group.samples.length);
  return (
    <>
      <div class="stepper">
        <Button onClick={() => setChosen(steps[place - 1]!)} disabled={place <= 0} aria-label="Earlier step">←</Button>
        <label class="small">Step
          <input type="range" min="0" max={steps.length - 1} step="1" value={place} aria-valuetext={`Step ${step}`} onInput={(event) => setChosen(steps[event.currentTarget.valueAsNumber]!)} />
          <output class="figure">{step}</output>
        </label>
        <Button onClick={() => setChosen(steps[place + 1]!)} disabled={place >= steps.length - 1} aria-label="Later step">→</Button>
      </div>
      <ul class="prompts">
        {shown.map((group) => (
          <li key={group.key} class="prompt-row"><p class="prompt-text prose">{group.prompt}</p><ul class="completions">{group.samples.map((sample, index) => <Completion key={index} sample={sample} />)}</ul></li>
        ))}
      </ul>
    </>
  );
}

function OverTime({ groups }: { groups: PromptSamples[] }) {
  const [key, setKey] = useState(groups[0]!.key);
  const group = groups.find((one) => one.key === key) ?? groups[0]!;
  return (
    <>
      <Field label="Prompt">
        {(attributes) => (
          <select {...attributes} value={group.key} onChange={(event) => setKey(event.currentTarget.value)}>
            {groups.map((one) => <option key={one.key} value={one.key}>{shorten(one.prompt, 90)}</option>)}
          </select>
        )}
      </Field>
      <p class="quoted-prompt prose">{group.prompt}</p>
      <ol class="timeline">
        {stepsOf(group.samples).map((step) => (
          <li key={step}><h3 class="timeline-step figure">Step {step}</h3><ul class="completions">{group.samples.filter((sample) => sample.step === step).map((sample, index) => <Completion key={index} sample={sample} />)}</ul></li>
        ))}
      </ol>
    </>
  );
}

const views = [{ value: "step", label: "By step" }, { value: "time", label: "One prompt over time" }] as const;

/// What the policy wrote: all prompts at one step, or one prompt through all steps.
export function Samples({ name, live }: { name: string; live: boolean }) {
  const [view, setView] = useState<"step" | "time">("step");
  const [words, setWords] = useState("");
  const samples = useLoaded(async (signal) => (await runs.samples(name, 2000, signal)).samples, [name]);
  useEvery(live ? 10 : 0, samples.reload);
  const groups = useMemo(() => byPrompt(samples.value ?? [], words), [samples.value, words]);
  const steps = useMemo(() => stepsOf(groups.flatMap((group) => group.samples)), [groups]);
  return (
    <Shown from={samples}>
      {(all) => all.length === 0 ? <div class="panel"><Empty title="No samples yet" /></div> : (
        <>
          <div class="toolbar">
            <Choice label="View" hide options={[...views]} value={view} onChange={setView} />
            <div class="grow"><TextField label="Words" type="search" placeholder="In prompts and completions" value={words} onInput={(event) => setWords(event.currentTarget.value)} /></div>
          </div>
          <div class="panel samples">
            {groups.length === 0 ? <Empty title="Nothing found" /> : view === "step" ? <ByStep groups={groups} steps={steps} /> : <OverTime groups={groups} />}
          </div>
        </>
      )}
    </Shown>
  );
}
