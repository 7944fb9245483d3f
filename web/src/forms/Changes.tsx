import { useEffect, useState } from "preact/hooks";
import type { Change } from "diff";

// The difference library is fetched when a difference is first wanted.
const library = () => import("diff");

/// Differences of two texts, word by word; null until they are known. A text too long to compare soon counts as replaced whole.
export function useChanges(before: string, after: string, on = true): Change[] | null {
  const [changes, setChanges] = useState<Change[] | null>(null);
  useEffect(() => {
    if (!on) return setChanges(null);
    let wanted = true;
    void library().then(({ diffWordsWithSpace }) => {
      const found = diffWordsWithSpace(before, after, { timeout: 150 });
      if (wanted) setChanges(found ?? [{ value: before, removed: true, added: false, count: 1 }, { value: after, removed: false, added: true, count: 1 }]);
    });
    return () => { wanted = false; };
  }, [before, after, on]);
  return changes;
}

/// One side of a difference: its own words, with those the other side lacks underlined.
export function Side({ changes, side }: { changes: Change[]; side: "before" | "after" }) {
  return (
    <div class="plain-text" dir="auto">
      {changes.filter((each) => (side === "before" ? !each.added : !each.removed)).map((each, at) =>
        each.added || each.removed ? <mark key={at} class={side === "before" ? "gone" : "come"}>{each.value}</mark> : <span key={at}>{each.value}</span>)}
    </div>
  );
}

/// Both sides in one text: what went is struck through, what came is underlined.
export function Merged({ changes }: { changes: Change[] }) {
  return (
    <div class="plain-text" dir="auto">
      {changes.map((each, at) =>
        each.added ? <ins key={at}>{each.value}</ins> : each.removed ? <del key={at}>{each.value}</del> : <span key={at}>{each.value}</span>)}
    </div>
  );
}
