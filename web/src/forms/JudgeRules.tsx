import { announce } from "../announce";
import type { Question, RuleJudgement, Verdict } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { letter, rowsOf } from "./draft";
import type { PartProps } from "./part";

const verdicts: { value: Verdict; label: string; action: string; sign: string }[] = [
  { value: "ok", label: "Keeps it", action: "rules.ok", sign: "✓" },
  { value: "breach", label: "Breaks it", action: "rules.breach", sign: "✕" },
  { value: "unsure", label: "Unsure", action: "rules.unsure", sign: "?" },
];

/// Without items, the dialogue as a whole is judged.
const judged = (question: Question) => (question.items.length ? question.items : [null]);

/// Does an item break a named rule? Each rule on its own; or, where the part need not be answered, a list of problems to tick.
export function JudgeRules(props: PartProps<RuleJudgement>) {
  const { part, question, draft, onDraft, active, row, onRow, onNext } = props;
  const rows = rowsOf(part, question);
  const at = (place: number) => ({ item: Math.floor(place / part.rules.length), rule: part.rules[place % part.rules.length]! });
  const find = (item: number, rule: string) => draft?.entries.find((each) => each.item === item && each.rule === rule)?.verdict;
  const give = (item: number, rule: string, verdict: Verdict) => {
    const others = draft?.entries.filter((each) => each.item !== item || each.rule !== rule) ?? [];
    onDraft({ kind: "rule_judgement", entries: [...others, { item, rule, verdict }] });
    announce(`${rule}: ${verdicts.find((each) => each.value === verdict)!.label}`);
  };
  const judge = (verdict: Verdict) => {
    const { item, rule } = at(row);
    give(item, rule.name, verdict);
    onNext();
  };
  useShortcut("rules.ok", () => judge("ok"), active);
  useShortcut("rules.breach", () => judge("breach"), active);
  useShortcut("rules.unsure", () => judge("unsure"), active);
  useShortcut("rules.up", () => onRow(Math.max(0, row - 1)), active);
  useShortcut("rules.down", () => onRow(Math.min(rows - 1, row + 1)), active);
  if (!part.required) return <Ticks {...props} find={find} />;
  return (
    <div class="item-grid">
      {judged(question).map((_, item) => (
        <div key={item} class="item-part">
          {question.items.length > 1 && <h3 class="letter-head"><span class="letter">{letter(item)}</span></h3>}
          {part.rules.map((rule, place) => {
            const mine = item * part.rules.length + place;
            const current = active && mine === row;
            return (
              <div key={rule.name} class={current ? "rule current" : "rule"} role="group" aria-label={`${question.items.length > 1 ? letter(item) + ": " : ""}${rule.text || rule.name}`}>
                <div class="grow">
                  <p dir="auto">{rule.text || rule.name}</p>
                  {rule.example && <details class="small soft"><summary>Example of a breach</summary><q dir="auto">{rule.example}</q></details>}
                </div>
                <div class="verdicts">
                  {verdicts.map((each) => (
                    <Button key={each.value} keep action={current ? each.action : undefined} class={`verdict ${each.value}`} aria-pressed={find(item, rule.name) === each.value} onClick={() => { onRow(mine); give(item, rule.name, each.value); }}>
                      <span aria-hidden="true">{each.sign}</span>{each.label}
                    </Button>
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

type TicksProps = PartProps<RuleJudgement> & { find: (item: number, rule: string) => Verdict | undefined };

function Ticks({ part, question, draft, onDraft, active, row, onRow, find }: TicksProps) {
  // Looking at one item settles all of its rules: what is not ticked is in order.
  const set = (item: number, breaches: string[]) => {
    const others = draft?.entries.filter((each) => each.item !== item) ?? [];
    const mine = part.rules.map((rule) => ({ item, rule: rule.name, verdict: (breaches.includes(rule.name) ? "breach" : "ok") as Verdict }));
    onDraft({ kind: "rule_judgement", entries: [...others, ...mine] });
  };
  return (
    <div class="item-grid">
      {judged(question).map((_, item) => {
        const broken = part.rules.map((rule) => rule.name).filter((rule) => find(item, rule) === "breach");
        const seen = draft?.entries.some((each) => each.item === item) ?? false;
        return (
          <div key={item} class="item-part ticks" role="group" aria-label={`${part.label} ${question.items.length > 1 ? letter(item) : ""}`}>
            {question.items.length > 1 && <h3 class="letter-head"><span class="letter">{letter(item)}</span></h3>}
            {part.rules.map((rule, place) => {
              const on = broken.includes(rule.name);
              return (
                <button
                  key={rule.name} type="button" disabled={!on && part.most > 0 && broken.length >= part.most} class={`tick ${active && row === item * part.rules.length + place ? "current" : ""}`} aria-pressed={on} title={rule.example || undefined}
                  onMouseDown={(event) => event.preventDefault()}
                  onClick={() => { onRow(item * part.rules.length + place); set(item, on ? broken.filter((each) => each !== rule.name) : [...broken, rule.name]); }}
                ><span aria-hidden="true">{on ? "☑" : "☐"}</span>{rule.text || rule.name}</button>
              );
            })}
            <button type="button" class="tick none" aria-pressed={seen && !broken.length} onMouseDown={(event) => event.preventDefault()} onClick={() => { onRow(item * part.rules.length); set(item, []); }}>
              <span aria-hidden="true">{seen && !broken.length ? "☑" : "☐"}</span>None of these
            </button>
          </div>
        );
      })}
    </div>
  );
}
