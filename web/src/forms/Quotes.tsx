import { useState } from "preact/hooks";
import type { Question, Quote } from "../api";
import { Dialog } from "../components/Dialog";

/// The evidence of an item: cards that open in context. Titles, but no addresses: judged is what is quoted, not where it is from.
export function Quotes({ quotes, question }: { quotes: Quote[]; question: Question }) {
  const [open, setOpen] = useState<Quote | null>(null);
  if (!quotes.length) return null;
  return (
    <div class="quotes" role="group" aria-label="Evidence">
      {quotes.map((quote, at) => (
        <figure key={at} class="quote">
          <figcaption><span class="quote-number">{at + 1}</span><span dir="auto">{quote.title}</span></figcaption>
          <blockquote dir="auto">{quote.text}</blockquote>
          <button type="button" class="button quiet" onClick={() => setOpen(quote)}>Open in context<span class="unseen"> (evidence {at + 1})</span></button>
        </figure>
      ))}
      {open && <Dialog title={open.title || "Evidence"} onClose={() => setOpen(null)}><InContext quote={open} question={question} /></Dialog>}
    </div>
  );
}

function InContext({ quote, question }: { quote: Quote; question: Question }) {
  const sources = [question.prompt.text, ...question.prompt.messages.map((message) => message.content)];
  const source = sources.find((text) => text.includes(quote.text) && text !== quote.text);
  if (!source) return <div class="plain-text" dir="auto">{quote.text}</div>;
  const at = source.indexOf(quote.text);
  return (
    <div class="plain-text" dir="auto">
      {source.slice(0, at)}<mark class="quoted" ref={(element) => element?.scrollIntoView({ block: "center" })}>{quote.text}</mark>{source.slice(at + quote.text.length)}
    </div>
  );
}
