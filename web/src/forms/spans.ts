import type { Span } from "../api";

// Spans count Unicode code points; JavaScript's strings count UTF-16 units. Only this file knows both.

/// Code points before a UTF-16 offset.
export const toPoints = (text: string, unit: number): number => [...text.slice(0, unit)].length;

/// The UTF-16 offset of a code point.
export function toUnits(text: string, point: number): number {
  let unit = 0;
  for (const sign of text) {
    if (point-- <= 0) break;
    unit += sign.length;
  }
  return unit;
}

/// Words as code-point ranges, for moving by keyboard. Languages without spaces are cut by the browser's own rules.
export function wordsOf(text: string): [number, number][] {
  const found: [number, number][] = [];
  let point = 0;
  for (const piece of new Intl.Segmenter(undefined, { granularity: "word" }).segment(text)) {
    const length = [...piece.segment].length;
    if (piece.isWordLike) found.push([point, point + length]);
    point += length;
  }
  return found;
}

export interface Piece { begin: number; end: number; text: string; marks: number[] } // marks: places in the list of spans

/// A text cut at every border of a span, so that overlapping marks can be drawn.
export function cut(text: string, spans: Pick<Span, "begin" | "end">[]): Piece[] {
  const points = [...text];
  const borders = [...new Set([0, points.length, ...spans.flatMap((span) => [span.begin, span.end])])]
    .filter((border) => border >= 0 && border <= points.length).sort((a, b) => a - b);
  return borders.slice(1).map((end, place) => {
    const begin = borders[place]!;
    return { begin, end, text: points.slice(begin, end).join(""), marks: spans.flatMap((span, at) => (span.begin <= begin && end <= span.end ? [at] : [])) };
  });
}
