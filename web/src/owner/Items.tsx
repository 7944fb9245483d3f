import { useMemo } from "preact/hooks";
import type { Question } from "../api";
import { asksWorse, letter, promptText } from "../desk/describe";
import { percent } from "../desk/format";
import { wordDiff, type Piece } from "../desk/word_diff";
import { Badge } from "../desk/parts";

function Pieces({ pieces }: { pieces: Piece[] }) {
  return <p class="prose">{pieces.map((piece, index) => (piece.own ? <mark key={index} class="own">{piece.text}</mark> : piece.text))}</p>;
}

export interface ItemsProps {
  question: Question;
  preferred?: number | "tie" | null;
  diff: boolean;             // two items: mark what only one of them says
  voters?: string[][];       // who chose each item
}

/// The items of a question side by side. Texts are texts: nothing in them is read as HTML.
export function Items({ question, preferred, diff, voters }: ItemsProps) {
  const texts = question.items.map((item) => item.text);
  const pair = texts.length === 2;
  const compared = useMemo(() => (diff && pair ? wordDiff(texts[0]!, texts[1]!) : null), [diff, pair, texts[0], texts[1]]);
  return (
    <>
      {compared && <p class="small soft">{percent(compared.shared)} of the words are in both; what only one of them says is marked.</p>}
      <div class="text-cards">
        {question.items.map((item, index) => (
          <div role="group" key={index} class={preferred === index ? "text-card preferred" : "text-card"} aria-label={`Item ${letter(index)}`}>
            <div class="text-card-head"><span>{letter(index)}</span>{preferred === index && <Badge tone="accent">{asksWorse(question) ? "Worse" : "Better"}</Badge>}</div>
            {compared ? <Pieces pieces={index === 0 ? compared.left : compared.right} /> : <p class="prose">{item.text || (item.clip ? "A clip" : "")}</p>}
            {item.quotes?.map((quote) => <blockquote key={quote.title} class="cited small"><strong>{quote.title}</strong> {quote.text}</blockquote>)}
            {voters?.[index] && <p class="voters small">{voters[index]!.length ? voters[index]!.join(", ") : <span class="soft">nobody</span>}</p>}
          </div>
        ))}
      </div>
    </>
  );
}

export function Prompt({ question }: { question: Question }) {
  const { messages } = question.prompt ?? {};
  if (!messages?.length) return <p class="cited prose">{promptText(question)}</p>;
  return (
    <ol class="transcript">
      {messages.map((message, index) => <li key={index}><span class="who-speaks small soft">{message.role}</span><p class="prose">{message.content}</p></li>)}
    </ol>
  );
}
