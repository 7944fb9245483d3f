import { announce } from "../announce";
import type { Axis, Rating } from "../api";
import { useShortcut } from "../shortcuts";
import { DigitBuffer } from "./digits";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { letter } from "./draft";
import type { PartProps } from "./part";

/// The values of a scale, at most a hundred.
export function valuesOf(axis: Axis): number[] {
  const count = Math.min(101, Math.floor((axis.high - axis.low) / axis.step + 1e-9) + 1);
  return Array.from({ length: count }, (_, place) => Math.round((axis.low + place * axis.step) * 1e6) / 1e6);
}

const anchorOf = (axis: Axis, value: number) => axis.anchors.find(([at]) => at === value)?.[1];

/// A number on each scale, for each item.
export function Rate({ part, question, draft, onDraft, active, row, onRow, onNext }: PartProps<Rating>) {
  const items = Math.max(1, question.items.length);
  const at = (place: number) => ({ item: Math.floor(place / part.axes.length), axis: part.axes[place % part.axes.length]! });
  const find = (item: number, axis: Axis) => draft?.values.find((each) => each.item === item && each.axis === axis.name)?.value;
  const give = (item: number, axis: Axis, value: number) => {
    const others = draft?.values.filter((each) => each.item !== item || each.axis !== axis.name) ?? [];
    onDraft({ kind: "rating", values: [...others, { item, axis: axis.name, value }] });
    const anchor = anchorOf(axis, value);
    announce(`${axis.label || axis.name}: ${value}${anchor ? `, ${anchor}` : ""}`);
  };
  useRateKeys({ active, row, rows: items * part.axes.length, at, find, give, onRow, onNext });
  return (
    <div class="item-grid">
      {Array.from({ length: items }, (_, item) => (
        <div key={item} class="item-part">
          {items > 1 && <h4 class="letter-head"><span class="letter">{letter(item)}</span></h4>}
          {part.axes.map((axis, place) => {
            const mine = item * part.axes.length + place;
            return (
              <AxisRow
                key={axis.name} axis={axis} item={items > 1 ? letter(item) : ""} value={find(item, axis)} current={active && row === mine}
                lone={part.axes.length === 1} onPick={(value) => { onRow(mine); give(item, axis, value); }}
              />
            );
          })}
        </div>
      ))}
    </div>
  );
}

function AxisRow({ axis, item, value, current, lone, onPick }: {
  axis: Axis; item: string; value: number | undefined; current: boolean; lone: boolean; onPick: (value: number) => void;
}) {
  const values = valuesOf(axis);
  const name = `${item ? item + ": " : ""}${axis.label || axis.name}`;
  const first = axis.anchors[0], last = axis.anchors.at(-1);
  return (
    <div class={current ? "axis current" : "axis"} role="group" aria-label={name}>
      <div class="axis-head">
        <span class={lone ? "soft small" : ""}>{axis.label || axis.name}</span>
        <span class="small soft">{value === undefined ? "" : anchorOf(axis, value) ?? ""}</span>
      </div>
      {values.length <= 11 ? (
        <div class="axis-values" style={{ gridTemplateColumns: `repeat(${values.length}, 1fr)` }}>
          {values.map((each) => (
            <button
              key={each} type="button" class="button number" aria-pressed={value === each} title={anchorOf(axis, each)}
              aria-label={`${name}: ${each}${anchorOf(axis, each) ? `, ${anchorOf(axis, each)}` : ""}`}
              onMouseDown={(event) => event.preventDefault()} onClick={() => onPick(each)}
            >{each}</button>
          ))}
        </div>
      ) : (
        <input type="range" min={axis.low} max={axis.high} step={axis.step} value={value ?? (axis.low + axis.high) / 2} aria-label={name} onInput={(event) => onPick(Number(event.currentTarget.value))} />
      )}
      {first && last && <div class="axis-ends small soft" aria-hidden="true"><span>{first[1]}</span><span>{last[1]}</span></div>}
    </div>
  );
}

interface Keys {
  active: boolean; row: number; rows: number; at: (row: number) => { item: number; axis: Axis };
  find: (item: number, axis: Axis) => number | undefined; give: (item: number, axis: Axis, value: number) => void;
  onRow: (row: number) => void; onNext: () => void;
}

function useRateKeys(keys: Keys) {
  const latest = useRef(keys);
  latest.current = keys;
  const { active, row, rows, onRow } = keys;
  const digits = useMemo(() => new DigitBuffer((value) => typed(latest.current, value)), []);
  useEffect(() => () => digits.clear(), []);
  const nudge = (direction: number) => {
    const { item, axis } = keys.at(row);
    const now = keys.find(item, axis);
    const middle = axis.low + Math.round((axis.high - axis.low) / axis.step / 2) * axis.step;
    keys.give(item, axis, now === undefined ? middle : Math.min(axis.high, Math.max(axis.low, now + direction * axis.step)));
  };
  useShortcut("rate.digit", ({ key }) => {
    const { axis } = keys.at(row);
    if (key === "0" && axis.low <= 0 && axis.high < 10) typed(keys, 0);
    else digits.press(key, Math.floor(axis.high));
  }, active);
  useShortcut("rate.less", () => nudge(-1), active);
  useShortcut("rate.more", () => nudge(1), active);
  useShortcut("rate.up", () => onRow(Math.max(0, row - 1)), active && rows > 1);
  useShortcut("rate.down", () => onRow(Math.min(rows - 1, row + 1)), active && rows > 1);
}

/// A value from the keyboard: taken when the scale has it, then on to the next scale.
function typed({ row, at, give, onNext }: Keys, value: number): void {
  const { item, axis } = at(row);
  if (!valuesOf(axis).includes(value)) return announce(`${value} is not on this scale`);
  give(item, axis, value);
  onNext();
}
