import { useMemo, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import type { Span, SpanCritique } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { letter } from "./draft";
import type { PartProps } from "./part";
import { cut, toPoints, wordsOf } from "./spans";

interface Selected { item: number; begin: number; end: number }

/// Pieces of an item, each with a category and a remark. Selected with the mouse, or word by word with the arrow keys.
export function MarkSpans({ part, question, draft, onDraft, active, onRow }: PartProps<SpanCritique>) {
  const [selected, setSelected] = useState<Selected | null>(null);
  const remarks = useRef<HTMLUListElement>(null);
  const spans = draft?.spans ?? [];
  const set = (next: Span[]) => onDraft({ kind: "span_critique", spans: next });
  const mark = (category: string) => {
    if (!selected || selected.begin >= selected.end) return announce("Select a passage first");
    set([...spans, { ...selected, category, remark: "" }].sort((a, b) => a.item - b.item || a.begin - b.begin || a.end - b.end));
    getSelection()?.removeAllRanges();
    announce(`Marked as ${category}`);
  };
  const remove = (place: number) => { set(spans.filter((_, at) => at !== place)); announce("Mark removed"); };
  useSelectionKeys({ active, texts: question.items.map((item) => item.text), selected, setSelected });
  useShortcut("spans.digit", ({ key }) => {
    const category = part.categories[Number(key) - 1];
    if (!category) return false;
    mark(category);
    return undefined;
  }, active);
  useShortcut("spans.remove", () => {
    const at = spans.findIndex((span) => selected && span.item === selected.item && span.begin <= selected.begin && selected.begin < span.end);
    if (at < 0) return false;
    remove(at);
    return undefined;
  }, active);
  useShortcut("spans.remark", () => remarks.current?.querySelector<HTMLElement>("li:last-child input")?.focus(), active && spans.length > 0);
  return (
    <div class="stack tight">
      <div class="spans-bar" role="group" aria-label="Mark the selection as">
        {part.categories.map((category, at) => (
          <Button key={category} keep class={`category mark-${(at % 4) + 1}`} disabled={!selected} onClick={() => mark(category)} aria-keyshortcuts={String(at + 1)}>
            <i class="swatch" aria-hidden="true" />{category}<kbd class="key" aria-hidden="true">{at + 1}</kbd>
          </Button>
        ))}
        <span class="grow" />
        <Button aria-pressed={!!draft && !spans.length} onClick={() => set([])}>Nothing to mark</Button>
      </div>
      {question.items.map((item, at) => (
        <Passage key={at} text={item.text} name={question.items.length > 1 ? letter(at) : "Text"} categories={part.categories}
          spans={spans.map((span) => (span.item === at ? span : { ...span, begin: 0, end: 0 }))}
          selected={selected?.item === at ? selected : null}
          onSelect={(begin, end) => { onRow(0); setSelected({ item: at, begin, end }); }} />
      ))}
      <p class="small soft">Select with the mouse, or with ← → and ⇧. Then choose what it is.</p>
      <ul class="remarks" ref={remarks} aria-label="Marks">
        {spans.map((span, at) => (
          <li key={`${span.item}-${span.begin}-${span.end}-${span.category}`}>
            <span class={`category-name mark-${(part.categories.indexOf(span.category) % 4) + 1}`}>{span.category}</span>
            <q dir="auto">{[...question.items[span.item]!.text].slice(span.begin, span.end).join("")}</q>
            <input class="input" value={span.remark} placeholder="Why?" aria-label={`Remark on mark ${at + 1}`} dir="auto"
              onInput={(event) => set(spans.map((each, place) => (place === at ? { ...each, remark: event.currentTarget.value } : each)))} />
            <button type="button" class="button quiet icon" aria-label={`Remove mark ${at + 1}`} onClick={() => remove(at)}>✕</button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Passage({ text, name, categories, spans, selected, onSelect }: {
  text: string; name: string; categories: string[]; spans: Span[]; selected: Selected | null; onSelect: (begin: number, end: number) => void;
}) {
  const box = useRef<HTMLDivElement>(null);
  const read = () => {
    const range = getSelection()?.rangeCount ? getSelection()!.getRangeAt(0) : null;
    if (!range || range.collapsed || !box.current?.contains(range.commonAncestorContainer)) return;
    const before = document.createRange();
    before.setStart(box.current, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const begin = before.toString().length;
    onSelect(toPoints(text, begin), toPoints(text, begin + range.toString().length));
  };
  const pieces = cut(text, selected ? [...spans, selected] : spans);
  return (
    <div class="card passage plain-text" ref={box} dir="auto" role="group" aria-label={name} tabIndex={0} onMouseUp={read} onTouchEnd={() => setTimeout(read, 50)}>
      {pieces.map((piece) => {
        const marks = piece.marks.filter((at) => at < spans.length);
        const chosen = piece.marks.length > marks.length;
        const shade = marks.length ? `mark-${(categories.indexOf(spans[marks.at(-1)!]!.category) % 4) + 1}` : "";
        return marks.length || chosen
          ? <mark key={piece.begin} class={`${shade} ${chosen ? "chosen" : ""}`} title={marks.map((at) => spans[at]!.category).join(", ") || undefined}>{piece.text}</mark>
          : <span key={piece.begin}>{piece.text}</span>;
      })}
    </div>
  );
}

function useSelectionKeys({ active, texts, selected, setSelected }: { active: boolean; texts: string[]; selected: Selected | null; setSelected: (to: Selected) => void }) {
  const words = useMemo(() => texts.flatMap((text, item) => wordsOf(text).map(([begin, end]) => ({ item, begin, end }))), [texts.join("\n")]);
  const show = (to: Selected) => {
    setSelected(to);
    announce([...texts[to.item]!].slice(to.begin, to.end).join(""));
  };
  const at = selected ? words.findLastIndex((word) => word.item < selected.item || (word.item === selected.item && word.begin <= selected.begin)) : -1;
  const last = selected ? words.findLastIndex((word) => word.item === selected.item && word.begin < selected.end) : -1;
  const step = (by: number) => { const word = words[Math.min(words.length - 1, Math.max(0, (by > 0 ? Math.max(at, last) : at) + by))]; if (word) show(word); };
  const stretch = (by: number) => {
    if (!selected) return step(1);
    const word = words[last + by];
    if (word && word.item === selected.item && word.end > selected.begin) show({ ...selected, end: word.end });
  };
  const letters = (by: number) => {
    if (!selected) return step(1);
    const end = Math.min([...texts[selected.item]!].length, selected.end + by);
    if (end > selected.begin) show({ ...selected, end });
  };
  useShortcut("spans.next", () => step(1), active);
  useShortcut("spans.previous", () => step(-1), active);
  useShortcut("spans.longer", () => stretch(1), active);
  useShortcut("spans.shorter", () => stretch(-1), active);
  useShortcut("spans.letter_more", () => letters(1), active);
  useShortcut("spans.letter_less", () => letters(-1), active);
}
