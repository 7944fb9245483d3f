import { ApiError, type Answer, type Outcome } from "./api";

// Answers on their way to the server. They are kept in the browser until the server says it has them: a lost connection, a restart
// of the server or a reload loses none, and sending one twice is sending it once (the assignment's id is its name).

export interface Letter { assignment: string; answer: Answer }
export interface Outlook { waiting: number; offline: boolean }
interface Kept { getItem(key: string): string | null; setItem(key: string, value: string): void }

export interface OutboxOptions {
  place: string; // key in the storage
  storage: Kept;
  send: (letter: Letter) => Promise<Outcome>;
  onSent: (letter: Letter, outcome: Outcome) => void;
  onRefused: (letter: Letter, error: ApiError) => void;
  onChange?: (outlook: Outlook) => void;
  pause?: (seconds: number) => Promise<void>;
}

const longest = 30; // seconds between two tries

export class Outbox {
  private letters: Letter[];
  private busy = false;
  private failures = 0;
  private wake: (() => void) | null = null;

  constructor(private readonly options: OutboxOptions) {
    this.letters = this.read();
  }

  get outlook(): Outlook {
    return { waiting: this.letters.length, offline: this.failures > 0 };
  }

  has(assignment: string): boolean {
    return this.letters.some((each) => each.assignment === assignment);
  }

  push(letter: Letter): void {
    this.letters.push(letter);
    this.keep();
    void this.flush();
  }

  /// Takes a letter back that has not been tried yet, or whose tries all failed. False when it is already under way.
  recall(assignment: string): boolean {
    const place = this.letters.findIndex((each) => each.assignment === assignment);
    if (place < 0 || (place === 0 && this.busy && !this.wake)) return false;
    this.letters.splice(place, 1);
    this.keep();
    return true;
  }

  /// Tries again now: the browser says it is online, or the reader asks.
  retry(): void {
    this.wake?.();
    void this.flush();
  }

  /// Sends what waits, in order. Returns when everything is sent.
  async flush(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.letters.length) await this.attempt(this.letters[0]!);
    this.busy = false;
  }

  private async attempt(letter: Letter): Promise<void> {
    try {
      const outcome = await this.options.send(letter);
      this.failures = 0;
      this.drop(letter);
      this.options.onSent(letter, outcome);
    } catch (error) {
      const fault = error instanceof ApiError ? error : new ApiError(0, String(error));
      if (fault.status === 401) return this.rest();
      if (fault.passing) return this.rest();
      this.drop(letter);
      this.options.onRefused(letter, fault);
    }
  }

  private async rest(): Promise<void> {
    const seconds = Math.min(longest, 2 ** this.failures++);
    this.options.onChange?.(this.outlook);
    const woken = new Promise<void>((resolve) => { this.wake = resolve; });
    const pause = this.options.pause ?? ((span) => new Promise((resolve) => setTimeout(resolve, span * 1000)));
    await Promise.race([pause(seconds), woken]);
    this.wake = null;
  }

  private drop(letter: Letter): void {
    this.letters = this.letters.filter((each) => each !== letter);
    this.keep();
  }

  private keep(): void {
    try {
      this.options.storage.setItem(this.options.place, JSON.stringify(this.letters));
    } catch {
      // A full or forbidden storage: the letters are still in memory.
    }
    this.options.onChange?.(this.outlook);
  }

  private read(): Letter[] {
    try {
      const kept = JSON.parse(this.options.storage.getItem(this.options.place) ?? "[]");
      return Array.isArray(kept) ? kept : [];
    } catch {
      return [];
    }
  }
}
