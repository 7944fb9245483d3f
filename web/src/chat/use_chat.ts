import { useEffect, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import { post } from "../api";
import { toast } from "../components/Toast";
import { asFault } from "../desk/load";
import * as talks from "./conversation";
import { complete } from "./stream";

export interface Choices { system: string; temperature: number; max_tokens: number; pair: boolean }

/// A conversation with the model: asks, streams, stops, and stores what was chosen.
export function useChat(choices: Choices) {
  const [talk, setTalk] = useState<talks.Conversation>(talks.empty);
  const running = useRef<AbortController | null>(null);
  const latest = useRef(talk);
  const put = (next: talks.Conversation) => { latest.current = next; setTalk(next); };
  useEffect(() => () => running.current?.abort(), []);

  const stream = async () => {
    const stop = new AbortController();
    running.current = stop;
    const turn = talks.last(latest.current)!;
    const asked = { messages: talks.messages(latest.current), temperature: choices.temperature, max_tokens: choices.max_tokens, n: turn.candidates.length };
    try {
      for await (const piece of complete(asked, stop.signal)) {
        if (stop.signal.aborted) return;
        if (piece.text) put(talks.received(latest.current, piece.candidate, piece.text));
        if (piece.finished) put(talks.finished(latest.current, piece.candidate));
      }
      if (stop.signal.aborted) return;
      put(talks.ended(latest.current));
      announce(asked.n > 1 ? "Two answers are there. Choose with the left and right arrow keys." : "The answer is there.");
    } catch (fault) {
      if (!stop.signal.aborted) put(talks.ended(latest.current, asFault(fault).message));
    }
  };

  const store = async (index: number) => {
    try {
      await post("/api/chat/feedback", talks.feedback(latest.current, index));
      toast("Stored");
    } catch (fault) {
      toast(`Not stored: ${asFault(fault).message}`, { tone: "bad" });
    }
  };

  return {
    talk,
    ask(text: string) {
      put(talks.ask({ ...latest.current, system: choices.system }, text, choices.pair ? 2 : 1));
      void stream();
    },
    again() {
      running.current?.abort();
      put(talks.again(latest.current, choices.pair ? 2 : 1));
      void stream();
    },
    stop() {
      running.current?.abort();
      put(talks.ended(latest.current));
      announce("Stopped.");
    },
    clear() {
      running.current?.abort();
      put(talks.empty);
    },
    choose(index: number, candidate: number | null) {
      put(talks.chose(latest.current, index, candidate));
      void store(index);
    },
    rate(index: number, stars: number) {
      put(talks.rated(latest.current, index, stars));
      void store(index);
    },
  };
}
