import type { Draft } from "./forms/draft";

// Unfinished answers, kept in the browser by annotator and question: a reload in the middle loses nothing.

const days = 14;
interface Entry { at: number; draft: Draft }
type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export class Drafts {
  private readonly prefix: string;
  constructor(annotator: string, private readonly storage: Shelf = localStorage, private readonly now = () => Date.now()) {
    this.prefix = `rlhf.draft.${annotator}.`;
  }

  load(question: string): Draft | null {
    try {
      return (JSON.parse(this.storage.getItem(this.prefix + question) ?? "null") as Entry | null)?.draft ?? null;
    } catch {
      return null;
    }
  }

  /// False when the browser could not keep it.
  save(question: string, draft: Draft): boolean {
    try {
      this.storage.setItem(this.prefix + question, JSON.stringify({ at: this.now(), draft } satisfies Entry));
      return true;
    } catch {
      return false;
    }
  }

  drop(question: string): void {
    this.storage.removeItem(this.prefix + question);
  }

  /// Forgets what nobody came back to.
  prune(): void {
    const keys = Array.from({ length: this.storage.length }, (_, place) => this.storage.key(place)!).filter((key) => key.startsWith(this.prefix));
    for (const key of keys) {
      let at = 0;
      try {
        at = (JSON.parse(this.storage.getItem(key)!) as Entry).at;
      } catch {
        // Unreadable: forgotten as well.
      }
      if (this.now() - at > days * 86_400_000) this.storage.removeItem(key);
    }
  }
}
