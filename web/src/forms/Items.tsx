import { useRef } from "preact/hooks";
import { announce } from "../announce";
import type { Comparison, Hint, Question } from "../api";
import { Button } from "../components/Button";
import { Markdown } from "../components/Markdown";
import { change, useSettings } from "../settings";
import { useShortcut } from "../shortcuts";
import { Side, useChanges } from "./Changes";
import { letter } from "./draft";
import { Cover } from "./Prompt";
import { cut } from "./spans";
import { Quotes } from "./Quotes";

interface ItemsProps { question: Question; hints?: Hint[]; chosen?: Comparison; onChoose?: (item: number) => void }

/// The candidates side by side. They scroll together when they are long, and show where two of them differ on request.
export function Items({ question, hints = [], chosen, onChoose }: ItemsProps) {
  const { sync, diff } = useSettings();
  const items = question.items;
  const boxes = useRef<(HTMLElement | null)[]>([]);
  const leader = useRef<HTMLElement | null>(null);
  const pair = items.length === 2;
  const changes = useChanges(items[0]?.text ?? "", items[1]?.text ?? "", pair && diff);
  const several = items.length > 1;
  useShortcut("diff", () => { change({ diff: !diff }); announce(diff ? "Differences hidden" : "Differences shown"); }, pair);
  useShortcut("sync", () => { change({ sync: !sync }); announce(sync ? "Scrolls apart" : "Scrolls together"); }, several);
  const follow = (event: Event) => {
    const from = event.currentTarget as HTMLElement;
    if (!sync || leader.current !== from) return;
    const share = from.scrollTop / Math.max(1, from.scrollHeight - from.clientHeight);
    for (const box of boxes.current) if (box && box !== from) box.scrollTop = share * (box.scrollHeight - box.clientHeight);
  };
  const click = (event: MouseEvent, item: number) => {
    if ((event.target as Element).closest("a, button, summary, details") || String(getSelection())) return;
    onChoose?.(item);
  };
  if (!items.length) return null;
  return (
    <section aria-label="Candidates" class="items-area">
      {several && (
        <div class="items-tools">
          {pair && <Button kind="quiet" keep action="diff" aria-pressed={diff} onClick={() => change({ diff: !diff })}>Differences</Button>}
          <Button kind="quiet" keep action="sync" aria-pressed={sync} onClick={() => change({ sync: !sync })}>Scroll together</Button>
        </div>
      )}
      <div class={`items ${pair ? "pair" : several ? "several" : "one"}`}>
        {items.map((item, at) => {
          const picked = !!chosen && !chosen.tie && !chosen.incomparable && chosen.best === at;
          return (
            <article key={at} class={`item card ${picked ? "picked" : ""} ${onChoose ? "choosable" : ""}`} aria-label={several ? `Candidate ${letter(at)}` : "The text"} onClick={onChoose ? (event) => click(event, at) : undefined}>
              {several && <header class="item-head"><span class="letter">{letter(at)}</span>{picked && <span class="picked-note small">✓ Your choice</span>}</header>}
              <div class="item-body" ref={(element) => { boxes.current[at] = element; }} tabIndex={0} role="group" aria-label={several ? `Text of ${letter(at)}` : "Text"}
                onPointerEnter={(event) => { leader.current = event.currentTarget; }} onFocusIn={(event) => { leader.current = event.currentTarget; }} onTouchStart={(event) => { leader.current = event.currentTarget; }} onScroll={follow}>
                <Cover>
                  {changes && pair ? <Side changes={changes} side={at ? "after" : "before"} /> : hints.length ? <Hinted text={item.text} item={at} hints={hints} /> : <Markdown text={item.text} />}
                  <Quotes quotes={item.quotes ?? []} question={question} />
                </Cover>
              </div>
            </article>
          );
        })}
      </div>
    </section>
  );
}

/// A text with the passages that open hints speak of, and their numbers.
function Hinted({ text, item, hints }: { text: string; item: number; hints: Hint[] }) {
  const pieces = cut(text, hints.map((hint) => (hint.item === item ? hint : { begin: 0, end: 0 })));
  return (
    <div class="plain-text" dir="auto">
      {pieces.map(({ begin, end, text: piece, marks }) => {
        const ending = marks.filter((hint) => hints[hint]!.end === end);
        if (!marks.length) return <span key={begin}>{piece}</span>;
        return <mark key={begin} class="hinted" data-hints={marks.join(" ")}>{piece}{ending.map((hint) => <sup key={hint}>{hint + 1}</sup>)}</mark>;
      })}
    </div>
  );
}
