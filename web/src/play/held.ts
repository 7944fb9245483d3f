// Which keys are down. A key is known by the place of its press: with Shift let go in between, its name at the end may be another.

type Press = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "altKey" | "shiftKey" | "repeat">;

/// The key as the server calls it: "ArrowLeft", "a", "3", "Shift+3". None for what belongs to the browser (Ctrl and so on).
export function keyName(event: Press): string | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const digit = /^(Digit|Numpad)(\d)$/.exec(event.code); // by its place: on many keyboards a digit needs Shift
  if (digit) return event.shiftKey && digit[1] === "Digit" ? `Shift+${digit[2]}` : digit[2]!;
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

export class HeldKeys {
  private readonly names = new Map<string, string>();

  get all(): string[] { return [...this.names.values()]; }

  /// The name of a key that goes down now and means something; null for others and for the repeats of one that is held.
  down(event: Press, means: (name: string) => boolean): string | null {
    const name = keyName(event);
    if (!name || event.repeat || this.names.has(event.code) || !means(name)) return null;
    this.names.set(event.code, name);
    return name;
  }
  up(event: Pick<KeyboardEvent, "code">): string | null {
    const name = this.names.get(event.code) ?? null;
    this.names.delete(event.code);
    return name;
  }
  clear(): void { this.names.clear(); }
}
