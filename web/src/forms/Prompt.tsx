import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Message, Question } from "../api";
import { Markdown } from "../components/Markdown";
import { useSurroundings } from "./context";

const names: Record<string, string> = { user: "Person", assistant: "Assistant", system: "Instructions" };

/// A dialogue as bubbles; who speaks is said in words as well.
export function Dialogue({ messages, you }: { messages: Message[]; you?: boolean }) {
  return (
    <ol class="dialogue" aria-label="Conversation">
      {messages.map((message, at) => (
        <li key={at} class={`bubble ${message.role === "user" ? "mine" : message.role === "system" ? "system" : "theirs"}`}>
          <span class="speaker small">{you && message.role === "user" ? "You" : names[message.role] ?? message.role}</span>
          <Markdown text={message.content} />
        </li>
      ))}
    </ol>
  );
}

/// Content that was flagged as unsafe stays covered until somebody asks to see it.
export function Cover({ children }: { children: ComponentChildren }) {
  const { blurred, reveal } = useSurroundings();
  if (!blurred) return <>{children}</>;
  return (
    <div class="cover">
      <div class="covered" inert aria-hidden="true">{children}</div>
      <div class="cover-note"><p>Covered, because it was flagged.</p><button type="button" class="button" onClick={reveal}>Show it</button></div>
    </div>
  );
}

/// A long text is folded to a part of the window's height.
export function Fold({ children, label }: { children: ComponentChildren; label: string }) {
  const [open, setOpen] = useState(false);
  const [long, setLong] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => setLong((box.current?.scrollHeight ?? 0) > innerHeight * 0.45), [children]);
  return (
    <div class={long && !open ? "fold closed" : "fold"}>
      <div ref={box} class="fold-body">{children}</div>
      {long && <button type="button" class="button quiet fold-button" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Show less" : `Show the whole ${label}`}</button>}
    </div>
  );
}

export function Prompt({ question }: { question: Question }) {
  const { text, messages } = question.prompt;
  if (!messages.length && !text) return null;
  return (
    <section class="prompt" aria-label="What was asked">
      <Cover>
        <Fold label="text">{messages.length ? <Dialogue messages={messages} /> : <div class="card"><Markdown text={text} /></div>}</Fold>
      </Cover>
    </section>
  );
}
