import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import { useShortcut } from "../shortcuts";
import { DigitBuffer } from "./digits";
import { groupsOf, impliedPairs, letter, ranksOf, type RankDraft } from "./draft";
import type { PartProps } from "./part";

/// Moves an item one group up or down; between two groups it gets one of its own.
export function shift(groups: number[][], item: number, direction: -1 | 1): number[][] {
  const at = groups.findIndex((group) => group.includes(item));
  if (at < 0) return direction < 0 ? [...groups, [item]] : [[item], ...groups];
  const alone = groups[at]!.length === 1;
  const without = groups.map((group) => group.filter((each) => each !== item)).filter((group) => group.length);
  const place = alone ? at + direction : at + (direction < 0 ? 0 : 1);
  return [...without.slice(0, Math.max(0, place)), [item], ...without.slice(Math.max(0, place))];
}

/// Puts an item before group `place`, or into it.
export function put(groups: number[][], item: number, place: number, into: boolean): number[][] {
  const next = groups.map((group) => [...group]);
  if (into) next[place]?.push(item);
  else next.splice(place, 0, [-1 - item]);
  return next
    .map((group, at) => group.filter((each) => each !== item || (into && at === place)))
    .map((group) => [...new Set(group.map((each) => (each < 0 ? -1 - each : each)))])
    .filter((group) => group.length);
}

/// All items in order, best first: numbers, dragging or keys; what is put together is equally good.
export function Rank({ part, question, draft, onDraft, active, row, onRow, onNext }: PartProps<RankDraft>) {
  const items = question.items.length;
  const ranks = draft?.ranks ?? Array<number>(items).fill(0);
  const groups = groupsOf(ranks);
  const place = (next: number[], item: number) => {
    onDraft({ kind: "ranking", ranks: next });
    const at = groupsOf(next).findIndex((group) => group.includes(item));
    announce(at < 0 ? `${letter(item)} is not placed` : `${letter(item)}: place ${next[item]}`);
  };
  const give = (item: number, rank: number) => place(ranks.map((each, at) => (at === item ? rank : each)), item);
  const regroup = (next: number[][], item: number) => place(ranksOf(next, items), item);
  useRankKeys({ active, row, items, ranks, groups, ties: part.allow_tie, onRow, onNext, give, regroup });
  return (
    <div class="rank">
      <ol class="rank-items" role="group" aria-label="Give each a place">
        {question.items.map((item, at) => (
          <li key={at} class={active && at === row ? "line current" : "line"} onClick={() => onRow(at)}>
            <span class="letter">{letter(at)}</span>
            <span class="excerpt" dir="auto">{item.text.slice(0, 120)}</span>
            <span class="numbers" role="group" aria-label={`Place of ${letter(at)}`}>
              {question.items.map((_, number) => (
                <button
                  key={number} type="button" class="button number" aria-pressed={ranks[at] === number + 1} aria-label={`${letter(at)}: place ${number + 1}`}
                  onMouseDown={(event) => event.preventDefault()} onClick={() => { onRow(at); give(at, ranks[at] === number + 1 ? 0 : number + 1); }}
                >{number + 1}</button>
              ))}
            </span>
          </li>
        ))}
      </ol>
      <Board groups={groups} unplaced={ranks.flatMap((rank, item) => (rank ? [] : [item]))} ties={part.allow_tie} regroup={regroup} />
    </div>
  );
}

interface Keys {
  active: boolean; row: number; items: number; ranks: number[]; groups: number[][]; ties: boolean;
  onRow: (row: number) => void; onNext: () => void; give: (item: number, rank: number) => void; regroup: (groups: number[][], item: number) => void;
}

function useRankKeys(keys: Keys) {
  const { active, row, items, ranks, groups, ties, onRow, regroup } = keys;
  const latest = useRef(keys);
  latest.current = keys;
  const digits = useMemo(() => new DigitBuffer((rank) => {
    const now = latest.current;
    now.give(now.row, rank);
    if (now.row < now.items - 1) now.onRow(now.row + 1);
    else now.onNext();
  }), []);
  useEffect(() => () => digits.clear(), []);
  const step = (by: number) => { digits.flush(); onRow(Math.min(items - 1, Math.max(0, row + by))); };
  useShortcut("rank.digit", ({ key }) => digits.press(key, items), active);
  useShortcut("rank.up", () => step(-1), active);
  useShortcut("rank.down", () => step(1), active);
  useShortcut("rank.better", () => regroup(shift(groups, row, -1), row), active);
  useShortcut("rank.worse", () => regroup(shift(groups, row, 1), row), active);
  useShortcut("rank.clear", () => latest.current.give(row, 0), active);
  useShortcut("rank.tie", () => {
    const at = groups.findIndex((group) => group.includes(row));
    const target = at < 0 ? groups.length - 1 : at - 1;
    if (target < 0 || !ties) return false;
    regroup(put(groups, row, target, true), row);
    return undefined;
  }, active && ties && ranks.length > 0);
}

interface BoardProps { groups: number[][]; unplaced: number[]; ties: boolean; regroup: (groups: number[][], item: number) => void }

/// The order as it stands. Candidates are dragged between groups (a new place) or onto one (a tie).
function Board({ groups, unplaced, ties, regroup }: BoardProps) {
  const [held, setHeld] = useState<{ item: number; target: string } | null>(null);
  const targetAt = (event: PointerEvent) =>
    (document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-target]") as HTMLElement | null)?.dataset.target ?? "";
  const drop = (item: number, target: string) => {
    const [kind, place] = target.split(":");
    if (kind === "into" && ties) regroup(put(groups, item, Number(place), true), item);
    else if (kind === "before" || kind === "into") regroup(put(groups, item, Number(place), false), item);
    else if (kind === "out") regroup(groups.map((group) => group.filter((each) => each !== item)).filter((group) => group.length), item);
  };
  const chip = (item: number) => (
    <span
      key={item} class={held?.item === item ? "chip held" : "chip"} data-item={item}
      onPointerDown={(event) => { event.preventDefault(); event.currentTarget.setPointerCapture(event.pointerId); setHeld({ item, target: "" }); }}
      onPointerMove={(event) => held && setHeld({ item, target: targetAt(event) })}
      onPointerUp={(event) => { drop(item, targetAt(event)); setHeld(null); }}
      onPointerCancel={() => setHeld(null)}
    ><b>{letter(item)}</b></span>
  );
  const over = (target: string) => (held?.target === target ? "over" : "");
  return (
    <div class={`board ${held ? "dragging" : ""}`}>
      <p class="small soft" id="board-help">Best at the top. Drag a letter{ties ? " between two rows, or onto one to tie" : " to its place"}.</p>
      <ol aria-label="The order now">
        {groups.map((group, place) => (
          <li key={group.join()}>
            <div class={`gap ${over(`before:${place}`)}`} data-target={`before:${place}`} />
            <div class={`group ${over(`into:${place}`)}`} data-target={`into:${place}`}>
              <span class="place">{place + 1}</span>{group.map(chip)}{group.length > 1 && <span class="small soft">equal</span>}
            </div>
          </li>
        ))}
        <li><div class={`gap last ${over(`before:${groups.length}`)}`} data-target={`before:${groups.length}`}>{!groups.length && "Drop here"}</div></li>
      </ol>
      {unplaced.length > 0 && <div class={`group loose ${over("out")}`} data-target="out"><span class="small soft">Not placed:</span>{unplaced.map(chip)}</div>}
      <Pairs groups={groups} />
    </div>
  );
}

function Pairs({ groups }: { groups: number[][] }) {
  const pairs = impliedPairs(groups);
  if (!pairs.length) return null;
  const ties = pairs.filter((pair) => pair.tie).length;
  return (
    <details class="small">
      <summary>{pairs.length} comparison{pairs.length > 1 ? "s" : ""} follow{pairs.length > 1 ? "" : "s"}{ties ? `, ${ties} of them equal` : ""}</summary>
      <p class="pairs">{pairs.map((pair) => `${letter(pair.better)} ${pair.tie ? "=" : "›"} ${letter(pair.worse)}`).join("   ")}</p>
    </details>
  );
}

