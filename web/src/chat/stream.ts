// Completions as they are made: server-sent events of POST /v1/chat/completions, in the OpenAI format.

import type { Message } from "./conversation";

export interface Request {
  messages: Message[];
  temperature: number;
  max_tokens: number;
  n: number;
}

export interface Piece {
  candidate: number;
  text: string;
  finished: boolean;
}

/** Cuts a stream of text into the data of its events; a piece of network text may end anywhere. */
export class EventReader {
  private rest = "";

  push(text: string): string[] {
    this.rest += text;
    const blocks = this.rest.split(/\r?\n\r?\n/);
    this.rest = blocks.pop()!;
    return blocks.map(dataOf).filter((data) => data !== "");
  }
}

function dataOf(block: string): string {
  return block
    .split(/\r?\n/)
    .filter((line) => line.startsWith("data:"))
    .map((line) => line.slice(5).replace(/^ /, ""))
    .join("\n");
}

/** The pieces in one event; null at the end of the stream. Throws what the server says went wrong. */
export function piecesOf(data: string): Piece[] | null {
  if (data === "[DONE]") return null;
  const event = JSON.parse(data);
  if (event.error) throw new Error(event.error.message ?? event.error.what ?? "the model stopped");
  return (event.choices ?? []).map((choice: { index?: number; delta?: { content?: string | null }; finish_reason?: string | null }) => ({
    candidate: choice.index ?? 0,
    text: choice.delta?.content ?? "",
    finished: !!choice.finish_reason,
  }));
}

async function refusal(response: Response): Promise<Error> {
  const body = await response.json().catch(() => null);
  const error = body?.error;
  return new Error(error?.what ? [error.what, error.fix].filter(Boolean).join(" ") : error?.message ?? `the server answered ${response.status}`);
}

/** Yields pieces until the stream ends or `signal` stops it. */
export async function* complete(request: Request, headers: Record<string, string>, signal: AbortSignal): AsyncGenerator<Piece> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...headers },
    body: JSON.stringify({ model: "default", stream: true, ...request }),
    signal,
  });
  if (!response.ok || !response.body) throw await refusal(response);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  const events = new EventReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const data of events.push(decoder.decode(value, { stream: true }))) {
        const pieces = piecesOf(data);
        if (pieces === null) return;
        yield* pieces;
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
