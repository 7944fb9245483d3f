import { announce } from "../announce";
import type { Belief } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { letter, type EvidenceDraft } from "./draft";
import type { PartProps } from "./part";

const asked = [
  { name: "plausible", label: "Plausible?", help: "A sensible reply to the question" },
  { name: "supported", label: "Supported?", help: "The quote alone shows that all of it is true" },
] as const;
const beliefs: { value: Belief; label: string; action: string }[] = [
  { value: "yes", label: "Yes", action: "evidence.yes" },
  { value: "no", label: "No", action: "evidence.no" },
  { value: "unsure", label: "Not sure", action: "evidence.unsure" },
];

/// For each item: is it plausible, and is it supported by what it quotes?
export function JudgeEvidence({ part, question, draft, onDraft, active, row, onRow, onNext }: PartProps<EvidenceDraft>) {
  const items = question.items.length;
  const entryOf = (item: number) => draft?.entries.find((each) => each.item === item) ?? { item };
  const give = (place: number, belief: Belief) => {
    const item = Math.floor(place / 2);
    const what = asked[place % 2]!;
    const others = draft?.entries.filter((each) => each.item !== item) ?? [];
    onDraft({ kind: "evidence_judgement", entries: [...others, { ...entryOf(item), [what.name]: belief }].sort((a, b) => a.item - b.item) });
    announce(`${letter(item)} ${what.label} ${belief}`);
  };
  const judge = (belief: Belief) => { give(row, belief); onNext(); };
  useShortcut("evidence.yes", () => judge("yes"), active);
  useShortcut("evidence.no", () => judge("no"), active);
  useShortcut("evidence.unsure", () => judge("unsure"), active);
  useShortcut("evidence.up", () => onRow(Math.max(0, row - 1)), active);
  useShortcut("evidence.down", () => onRow(Math.min(2 * items - 1, row + 1)), active);
  return (
    <div class="item-grid" aria-label={part.label} role="group">
      {question.items.map((_, item) => (
        <div key={item} class="item-part">
          {items > 1 && <h4 class="letter-head"><span class="letter">{letter(item)}</span></h4>}
          {asked.map((what, at) => {
            const mine = 2 * item + at;
            const current = active && mine === row;
            return (
              <div key={what.name} class={current ? "rule current" : "rule"} role="group" aria-label={`${letter(item)}: ${what.label}`}>
                <div class="grow"><p>{what.label}</p><p class="small soft">{what.help}</p></div>
                <div class="verdicts">
                  {beliefs.map((each) => (
                    <Button key={each.value} keep action={current ? each.action : undefined} aria-pressed={entryOf(item)[what.name] === each.value} onClick={() => { onRow(mine); give(mine, each.value); }}>{each.label}</Button>
                  ))}
                </div>
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}
