import { announce } from "../announce";
import type { Comparison } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { letter } from "./draft";
import type { PartProps } from "./part";
import { bothBad, choose, incomparable, move, same, scaleOf, tie, words, type Step } from "./scale";

/// Which is better, and by how much: two candidates on a scale from A to B, or the best of several.
export function Compare(props: PartProps<Comparison>) {
  const { part, question, draft, onDraft, active, onRow, onNext } = props;
  const pair = question.items.length === 2;
  const set = (said: Comparison) => {
    onRow(0);
    onDraft(said);
    announce(words(part, said, question.items.length));
    onNext();
  };
  useExtras(props, set);
  return (
    <div class={`compare ${active ? "active" : ""}`} role="group" aria-label={part.label}>
      {pair ? <Pair {...props} set={set} /> : <Several {...props} set={set} />}
      <div class="compare-extras">
        {part.allow_tie && !(pair && part.levels.length) && (
          <Button keep action="compare.tie" aria-pressed={same(draft, tie)} onClick={() => set(tie)}>Equally good</Button>
        )}
        {part.allow_both_bad && (
          <Button keep action="compare.both_bad" aria-pressed={same(draft, bothBad)} onClick={() => set(bothBad)}>{pair ? "Both are bad" : "All are bad"}</Button>
        )}
        {part.allow_incomparable && (
          <Button keep action="compare.incomparable" aria-pressed={same(draft, incomparable)} onClick={() => set(incomparable)}>Can’t tell</Button>
        )}
      </div>
    </div>
  );
}

type Inner = PartProps<Comparison> & { set: (said: Comparison) => void };

function useExtras({ part, active }: PartProps<Comparison>, set: (said: Comparison) => void) {
  useShortcut("compare.tie", () => set(tie), active && part.allow_tie);
  useShortcut("compare.both_bad", () => set(bothBad), active && part.allow_both_bad);
  useShortcut("compare.incomparable", () => set(incomparable), active && part.allow_incomparable);
}

function Pair({ part, draft, active, set }: Inner) {
  const steps = scaleOf(part);
  useShortcut("compare.left", () => set(part.levels.length ? move(steps, draft, -1) : choose(part, 0)), active);
  useShortcut("compare.right", () => set(part.levels.length ? move(steps, draft, 1) : choose(part, 1)), active);
  useShortcut("compare.far_left", () => set(steps[0]!.said), active);
  useShortcut("compare.far_right", () => set(steps.at(-1)!.said), active);
  // By number: the steps of the scale in order; without levels 1, 2 and 3 are left, right and tie, 0 is "can't tell".
  useShortcut("compare.digit", ({ key }) => {
    const plain = [choose(part, 0), choose(part, 1), ...(part.allow_tie ? [tie] : [])];
    const said = key === "0" ? (part.allow_incomparable ? incomparable : undefined) : (part.levels.length ? steps.map((step) => step.said) : plain)[Number(key) - 1];
    if (!said) return false;
    set(said);
    return undefined;
  }, active);
  if (part.levels.length) return <Scale steps={steps} draft={draft} set={set} />;
  return (
    <div class="compare-pair">
      {[0, 1].map((item) => (
        <Button key={item} keep class="choice-button" action={item ? "compare.right" : "compare.left"} aria-pressed={same(draft, choose(part, item))} onClick={() => set(choose(part, item))}>
          <span><b>{letter(item)}</b> is {part.worse ? "worse" : "better"}</span>
        </Button>
      ))}
    </div>
  );
}

function Scale({ steps, draft, set }: { steps: Step[]; draft: Comparison | undefined; set: (said: Comparison) => void }) {
  const chosen = steps.find((step) => same(draft, step.said));
  return (
    <div class="scale">
      <div class="scale-ends small" aria-hidden="true">
        <span>← {steps[0]!.label}</span>
        <strong class="scale-now">{chosen?.label ?? ""}</strong>
        <span>{steps.at(-1)!.label} →</span>
      </div>
      <div class="scale-steps" style={{ gridTemplateColumns: `repeat(${steps.length}, 1fr)` }}>
        {steps.map((step, place) => (
          <button
            key={step.label} type="button" class={`button step ${step.said.tie ? "middle" : ""}`} aria-pressed={same(draft, step.said)}
            aria-keyshortcuts={String(place + 1)} title={step.label}
            onMouseDown={(event) => event.preventDefault()} onClick={() => set(step.said)}
          >
            <span class="unseen">{step.label}</span>
            <span class="step-number" aria-hidden="true">{place + 1}</span>
            <span class="step-name" aria-hidden="true">{step.short}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

function Several({ part, question, draft, active, set }: Inner) {
  const items = question.items.length;
  const level = draft && !draft.tie && !draft.incomparable ? Math.round(draft.strength * part.levels.length) : part.levels.length;
  const pick = (item: number) => set(choose(part, Math.min(items - 1, Math.max(0, item)), Math.max(1, level)));
  const at = draft && !draft.tie && !draft.incomparable ? draft.best : -1;
  useShortcut("compare.left", () => pick(at < 0 ? items - 1 : at - 1), active);
  useShortcut("compare.right", () => pick(at + 1), active);
  useShortcut("compare.digit", ({ key }) => {
    const item = (Number(key) + 9) % 10; // 0 is the tenth
    if (item >= items) return false;
    pick(item);
    return undefined;
  }, active);
  return (
    <div class="stack tight">
      <div class="compare-several">
        {question.items.map((_, item) => (
          <Button key={item} keep aria-pressed={at === item} aria-keyshortcuts={item < 10 ? String((item + 1) % 10) : undefined} onClick={() => pick(item)}>
            <b>{letter(item)}</b><span class="unseen"> is the best</span>{item < 10 && <kbd class="key" aria-hidden="true">{(item + 1) % 10}</kbd>}
          </Button>
        ))}
      </div>
      {at >= 0 && part.levels.length > 0 && (
        <div class="row" role="group" aria-label="By how much">
          {part.levels.map((name, place) => (
            <Button key={name} keep aria-pressed={level === place + 1} onClick={() => set(choose(part, at, place + 1))}>{name}</Button>
          ))}
        </div>
      )}
    </div>
  );
}
