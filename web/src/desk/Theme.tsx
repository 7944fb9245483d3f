import { change, useSettings } from "../settings";

const themes = [["system", "Auto"], ["light", "Light"], ["dark", "Dark"]] as const;

/// The colours of the pages, chosen by the reader.
export function Theme() {
  const { theme } = useSettings();
  return (
    <label class="theme-choice">
      <span class="unseen">Colours</span>
      <select class="mini" value={theme} onChange={(event) => change({ theme: event.currentTarget.value as typeof theme })}>
        {themes.map(([value, name]) => <option key={value} value={value}>{name}</option>)}
      </select>
    </label>
  );
}
