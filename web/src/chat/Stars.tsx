import { useId } from "preact/hooks";

/// One to five, as radio buttons: arrows move between them.
export function Stars({ value, onRate }: { value: number | null; onRate: (stars: number) => void }) {
  const name = useId();
  return (
    <fieldset class="stars">
      <legend class="unseen">How good is this answer?</legend>
      {[1, 2, 3, 4, 5].map((stars) => (
        <label key={stars} class={value !== null && stars <= value ? "star on" : "star"}>
          <input type="radio" name={name} checked={value === stars} onChange={() => onRate(stars)} />
          <span aria-hidden="true">{value !== null && stars <= value ? "★" : "☆"}</span>
          <span class="unseen">{stars} {stars === 1 ? "star" : "stars"}</span>
        </label>
      ))}
    </fieldset>
  );
}
