// A conversation in which every answer may have several candidates. Pure: each change gives a new value.

export interface Message { role: "system" | "user" | "assistant"; content: string }

export interface Candidate {
  text: string;
  done: boolean;
  error?: string;
}

export interface Turn {
  ask: string;
  candidates: Candidate[];
  chosen: number | null; // with one candidate it is that one once it is done
  stars: number | null;
}

export interface Conversation {
  system: string;
  turns: Turn[];
}

export const empty: Conversation = { system: "", turns: [] };

export const running = (talk: Conversation): boolean => last(talk)?.candidates.some((one) => !one.done) ?? false;
export const last = (talk: Conversation): Turn | undefined => talk.turns[talk.turns.length - 1];

/** A choice between two is still open: the conversation cannot go on before it is known which answer it follows. */
export function undecided(talk: Conversation): boolean {
  const turn = last(talk);
  return !!turn && turn.candidates.length > 1 && turn.candidates.every((one) => one.done && !one.error) && turn.chosen === null;
}

export function answerOf(turn: Turn): string {
  const whole = turn.candidates.findIndex((one) => !one.error);
  return turn.candidates[turn.chosen ?? Math.max(0, whole)]?.text ?? "";
}

/** What the model reads: everything before turn `end`, then that turn's question. */
export function messages(talk: Conversation, end = talk.turns.length - 1): Message[] {
  const list: Message[] = talk.system.trim() ? [{ role: "system", content: talk.system }] : [];
  talk.turns.slice(0, end + 1).forEach((turn, index) => {
    list.push({ role: "user", content: turn.ask });
    if (index < end) list.push({ role: "assistant", content: answerOf(turn) });
  });
  return list;
}

const blank = (count: number): Candidate[] => Array.from({ length: count }, () => ({ text: "", done: false }));

export function ask(talk: Conversation, text: string, candidates: number): Conversation {
  return { ...talk, turns: [...talk.turns, { ask: text, candidates: blank(candidates), chosen: null, stars: null }] };
}

/** The last question once more, with fresh answers. */
export function again(talk: Conversation, candidates: number): Conversation {
  return onLast(talk, (turn) => ({ ...turn, candidates: blank(candidates), chosen: null, stars: null }));
}

export function received(talk: Conversation, candidate: number, text: string): Conversation {
  return onCandidate(talk, candidate, (one) => (one.done ? one : { ...one, text: one.text + text }));
}

/** Ends whatever still runs: at the end of the stream, on Stop, or with what went wrong. */
export function ended(talk: Conversation, error?: string): Conversation {
  return onLast(talk, (turn) => ({
    ...turn,
    candidates: turn.candidates.map((one) => (one.done ? one : { ...one, done: true, ...(error ? { error } : {}) })),
  }));
}

export function finished(talk: Conversation, candidate: number): Conversation {
  return onCandidate(talk, candidate, (one) => ({ ...one, done: true }));
}

export function chose(talk: Conversation, index: number, candidate: number | null): Conversation {
  return onTurn(talk, index, (turn) => ({ ...turn, chosen: candidate }));
}

export function rated(talk: Conversation, index: number, stars: number): Conversation {
  return onTurn(talk, index, (turn) => ({ ...turn, stars }));
}

/** What the store learns of a turn. */
export function feedback(talk: Conversation, index: number) {
  const turn = talk.turns[index]!;
  return {
    messages: messages(talk, index),
    candidates: turn.candidates.map((one) => one.text),
    chosen: turn.candidates.length > 1 ? turn.chosen : null,
    ...(turn.stars === null ? {} : { stars: turn.stars }),
  };
}

function onTurn(talk: Conversation, index: number, change: (turn: Turn) => Turn): Conversation {
  return { ...talk, turns: talk.turns.map((turn, i) => (i === index ? change(turn) : turn)) };
}

function onLast(talk: Conversation, change: (turn: Turn) => Turn): Conversation {
  return onTurn(talk, talk.turns.length - 1, change);
}

function onCandidate(talk: Conversation, index: number, change: (one: Candidate) => Candidate): Conversation {
  return onLast(talk, (turn) => ({ ...turn, candidates: turn.candidates.map((one, i) => (i === index ? change(one) : one)) }));
}
