// Two texts, word by word: what they share and what each has of its own. Shown side by side.

import { diffWordsWithSpace } from "diff";

export interface Piece {
  text: string;
  own: boolean; // not in the other text
}

export interface WordDiff {
  left: Piece[];
  right: Piece[];
  shared: number; // share of the longer text's words found in both, 0..1
}

const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;

function push(pieces: Piece[], text: string, own: boolean): void {
  const last = pieces[pieces.length - 1];
  if (last && last.own === own) last.text += text;
  else pieces.push({ text, own });
}

/** A space between two words of one's own is one's own: a marked phrase reads as one. */
function joined(pieces: Piece[]): Piece[] {
  const list: Piece[] = [];
  pieces.forEach((piece, at) => {
    const between = piece.text.trim() === "" && pieces[at - 1]?.own && pieces[at + 1]?.own;
    push(list, piece.text, piece.own || !!between);
  });
  return list;
}

/** Texts too far apart for a word diff within the time allowed are wholly each one's own. */
export function wordDiff(left: string, right: string): WordDiff {
  const changes = diffWordsWithSpace(left, right, { timeout: 500 });
  if (!changes) return { left: [{ text: left, own: true }], right: [{ text: right, own: true }], shared: 0 };
  const result: WordDiff = { left: [], right: [], shared: 0 };
  let same = 0;
  for (const change of changes) {
    if (!change.added) push(result.left, change.value, change.removed);
    if (!change.removed) push(result.right, change.value, change.added);
    if (!change.added && !change.removed) same += words(change.value);
  }
  result.left = joined(result.left);
  result.right = joined(result.right);
  const longest = Math.max(words(left), words(right));
  result.shared = longest === 0 ? 1 : Math.min(1, same / longest);
  return result;
}
