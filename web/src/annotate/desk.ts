import { api as server, ApiError, type Answer, type Assignment, type Next, type Outcome, type Progress, type Waiting } from "../api";
import { Drafts } from "../drafts";
import { draftFrom, type Draft } from "../forms/draft";
import { Outbox, type Letter, type Outlook } from "../outbox";

// What lies on an annotator's desk: the question at hand, the next one already fetched, answers under way, and the last ones given.
// Knows nothing of the page; the page redraws when it changes.

const deep = 5; // answers that can be taken back one after another
const ahead = 2; // questions held: the one at hand and the next
const most = 5;  // questions the server gives at once

export interface Done { assignment: Assignment; draft: Draft; sequence?: number }
export interface VerdictShown { pending: boolean; right?: boolean; explanation?: string }
export interface DeskEvents {
  onChange: () => void;
  onNote: (text: string, bad?: boolean) => void;
  onFetched?: (assignment: Assignment) => void;
}
export type DeskApi = Pick<typeof server, "next" | "answer" | "undo" | "heartbeat" | "history" | "release">;

export class Desk {
  current: Assignment | null = null;
  next: Assignment[] = [];
  progress: Progress | null = null;
  waiting: Waiting | null = null;
  verdict: VerdictShown | null = null;
  done: Done[] = [];
  fault = "";
  laid = 0; // times that a question was laid back: it is drawn anew, with what was said to it
  started = false; // something was heard from the server
  outlook: Outlook;
  readonly drafts: Drafts;
  private readonly outbox: Outbox;
  private readonly answered = new Set<string>();
  private fetching: AbortController | null = null;
  private stopped = false;
  private readonly leaving = new Set<Done>(); // being taken back; may not have arrived yet
  private readonly waits = new Set<ReturnType<typeof setTimeout>>(); // of answers that are taken back before they arrived
  private again: ReturnType<typeof setTimeout> | undefined;          // the next look for questions

  constructor(annotator: string, private readonly events: DeskEvents, private readonly api: DeskApi = server, storage: Storage = localStorage) {
    this.drafts = new Drafts(annotator, storage);
    this.drafts.prune();
    this.outbox = new Outbox({
      place: `rlhf.outbox.${annotator}`,
      storage,
      send: (letter) => this.api.answer(letter.assignment, letter.answer),
      onSent: (letter, outcome) => this.sent(letter, outcome),
      onRefused: (letter, error) => this.refused(letter, error),
      onChange: (outlook) => { this.outlook = outlook; this.events.onChange(); },
    });
    this.outlook = this.outbox.outlook;
  }

  start(): void {
    void this.outbox.flush();
    void this.refill();
  }

  stop(): void {
    this.stopped = true;
    this.fetching?.abort();
    clearTimeout(this.again);
    this.waits.forEach(clearTimeout);
  }

  retry(): void {
    this.outbox.retry();
    void this.refill();
  }

  /// Sends an answer in the background and puts the next question on the desk at once.
  submit(answer: Answer, draft: Draft): void {
    const assignment = this.current;
    if (!assignment) return;
    this.done = [...this.done, { assignment, draft }].slice(-deep);
    this.answered.add(assignment.id);
    this.current = null;
    if (assignment.question.round) this.verdict = { pending: true };
    else this.current = this.next.shift() ?? null;
    this.outbox.push({ assignment: assignment.id, answer });
    this.events.onChange();
    void this.refill();
  }

  /// After the explanation of a qualification question.
  goOn(): void {
    this.verdict = null;
    this.current ??= this.next.shift() ?? null;
    this.events.onChange();
    void this.refill();
  }

  /// Takes the last answer back and puts its question on the desk again.
  async undo(): Promise<void> {
    const last = this.done.pop() ?? (await this.lastOfServer());
    if (!last) return this.events.onNote("There is nothing to take back");
    if (last.sequence === undefined && this.outbox.recall(last.assignment.id)) return this.layBack(last.assignment, last.draft);
    this.leaving.add(last);
    try {
      const sequence = last.sequence ?? (await this.arrival(last));
      const { assignment } = await this.api.undo(sequence);
      if (assignment) return this.layBack(assignment, last.draft);
      this.events.onNote("Taken back. Somebody else answers this question now");
    } catch (error) {
      this.done.push(last);
      this.events.onNote(`Not taken back: ${(error as Error).message}`, true);
    } finally {
      this.leaving.delete(last);
    }
    this.events.onChange();
  }

  private layBack(assignment: Assignment, draft: Draft): void {
    this.answered.delete(assignment.id);
    this.drafts.save(assignment.question.id, draft);
    // It may lie here already: the server gives an open question to whoever waits for one.
    const others = this.held().filter((each) => each.question.id !== assignment.question.id);
    this.current = assignment;
    this.next = others;
    ++this.laid;
    this.verdict = null;
    this.events.onNote("Taken back: change your answer");
    this.events.onChange();
  }

  /// After a reload the last answers are only known to the server.
  private async lastOfServer(): Promise<Done | null> {
    try {
      const { entries } = await this.api.history(0, deep);
      const last = entries.find((entry) => !entry.undone);
      return last ? { assignment: { id: "", question: last.question, lease_until: 0 }, draft: draftFrom(last.question, last.answer), sequence: last.sequence } : null;
    } catch {
      return null;
    }
  }

  private arrival(done: Done): Promise<number> {
    return new Promise((resolve, reject) => {
      const look = (tries: number) => {
        if (done.sequence !== undefined) resolve(done.sequence);
        else if (tries === 0) reject(new Error("the answer has not arrived yet"));
        else {
          const wait = setTimeout(() => { this.waits.delete(wait); look(tries - 1); }, 50);
          this.waits.add(wait);
        }
      };
      look(100);
    });
  }

  private sent(letter: Letter, outcome: Outcome): void {
    this.progress = outcome.progress ?? this.progress;
    const done = [...this.done, ...this.leaving].find((each) => each.assignment.id === letter.assignment);
    if (done) {
      done.sequence = outcome.sequence;
      this.drafts.drop(done.assignment.question.id);
    }
    if (this.verdict?.pending) {
      if (outcome.verdict) this.verdict = { pending: false, ...outcome.verdict };
      else this.goOn();
    }
    this.events.onChange();
    void this.refill();
  }

  private refused(letter: Letter, error: ApiError): void {
    this.done = this.done.filter((each) => each.assignment.id !== letter.assignment);
    if (this.verdict?.pending) this.goOn();
    this.events.onNote(`An answer was not taken: ${error.message} ${error.fix}`.trim(), true);
    void this.refill();
  }

  /// Asks for questions until two are held. With an empty desk the server answers when there is something, or after a while.
  async refill(): Promise<void> {
    if (this.stopped || this.fetching || this.held().length >= ahead) return;
    this.fetching = new AbortController();
    const empty = !this.current;
    try {
      this.take(await this.api.next(Math.min(most, ahead + this.outbox.outlook.waiting), empty && this.started ? 20 : 0, this.fetching.signal));
    } catch (error) {
      if (!this.stopped) this.fault = error instanceof ApiError ? error.message : String(error);
    }
    this.fetching = null;
    this.started = true;
    this.events.onChange();
    if (!this.stopped && this.held().length < ahead) this.later(this.fault ? 3 : this.current ? 5 : 1);
  }

  private later(seconds: number): void {
    clearTimeout(this.again);
    this.again = setTimeout(() => void this.refill(), seconds * 1000);
  }

  private take({ assignments, progress, waiting }: Next): void {
    const known = new Set([...this.held().map((each) => each.id), ...this.answered]);
    const fresh = assignments.filter((each) => !known.has(each.id) && !this.outbox.has(each.id));
    this.next.push(...fresh);
    if (!this.verdict) this.current ??= this.next.shift() ?? null;
    this.progress = progress;
    this.waiting = waiting;
    this.fault = "";
    fresh.forEach((each) => this.events.onFetched?.(each));
  }

  /// A question that is answered elsewhere on the page: a turn of a conversation. It's no question of the queue.
  claim(assignment: string): void {
    this.answered.add(assignment);
    this.next = this.next.filter((each) => each.id !== assignment);
  }

  held(): Assignment[] {
    return this.current ? [this.current, ...this.next] : this.next;
  }

  /// Keeps the leases while somebody is at the desk.
  async heartbeat(): Promise<void> {
    const ids = this.held().map((each) => each.id);
    if (!ids.length) return;
    try {
      const { lost } = await this.api.heartbeat(ids);
      this.next = this.next.filter((each) => !lost.includes(each.id));
      if (lost.length) this.events.onChange();
    } catch {
      // The next one may get through; an expired lease is still good until somebody else answers.
    }
  }
}
