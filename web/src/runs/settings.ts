// A run's config.toml, as the program writes it: `key = value  # origin`, in groups. Read for display only.

export interface Setting {
  key: string;
  value: string;
  origin: string;
  changed: boolean; // somebody chose it: it is not the default
  unset: boolean;   // written as a comment: there is no value
}

export interface Group {
  name: string; // "" = the top
  settings: Setting[];
}

/** Where a value ends and its comment begins: the first # outside quotes. */
function commentAt(line: string): number {
  let quote = "";
  for (let i = 0; i < line.length; ++i) {
    const letter = line[i]!;
    if (quote) {
      if (letter === "\\" && quote === '"') ++i;
      else if (letter === quote) quote = "";
    } else if (letter === '"' || letter === "'") quote = letter;
    else if (letter === "#") return i;
  }
  return -1;
}

export function readSettings(toml: string): Group[] {
  const groups: Group[] = [{ name: "", settings: [] }];
  for (const raw of toml.split("\n")) {
    let line = raw.trim();
    const header = /^\[+([^\]]+)\]+/.exec(line);
    if (header) {
      groups.push({ name: header[1]!.trim(), settings: [] });
      continue;
    }
    const unset = /^#\s*[\w.-]+\s*=/.test(line);
    if (unset) line = line.replace(/^#\s*/, "");
    const equals = line.indexOf("=");
    if (equals < 1 || line.startsWith("#")) continue;
    const hash = commentAt(line);
    const origin = hash < 0 ? "" : line.slice(hash + 1).trim();
    const value = line.slice(equals + 1, hash < 0 ? undefined : hash).trim();
    groups[groups.length - 1]!.settings.push({ key: line.slice(0, equals).trim(), value, origin, unset, changed: origin !== "" && origin !== "default" });
  }
  return groups.filter((group) => group.settings.length > 0);
}
