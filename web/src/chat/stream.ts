// Completions as they are made: POST /v1/chat/completions as server-sent events, in the OpenAI format.

import { events } from "../api";
import type { Message } from "./conversation";

export interface Ask {
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

interface Chunk {
  error?: { message?: string; what?: string };
  choices?: { index?: number; delta?: { content?: string | null }; finish_reason?: string | null }[];
}

/// The pieces in one event. Throws what the server says went wrong.
export function piecesOf(chunk: Chunk): Piece[] {
  if (chunk.error) throw new Error(chunk.error.message ?? chunk.error.what ?? "The model stopped.");
  return (chunk.choices ?? []).map((choice) => ({
    candidate: choice.index ?? 0,
    text: choice.delta?.content ?? "",
    finished: !!choice.finish_reason,
  }));
}

/// Yields pieces until the stream ends; `signal` stops it, and the server with it.
export async function* complete(ask: Ask, signal: AbortSignal): AsyncGenerator<Piece> {
  for await (const { data } of events("/v1/chat/completions", { model: "default", stream: true, ...ask }, signal)) {
    if (data === null) return;
    yield* piecesOf(data);
  }
}
