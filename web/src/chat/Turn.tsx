import { Button, Kbd } from "../components/Button";
import { Markdown } from "../components/Markdown";
import { Copy } from "../desk/parts";
import { letter } from "../desk/describe";
import type { Candidate, Turn } from "./conversation";
import { Stars } from "./Stars";

function Text({ candidate }: { candidate: Candidate }) {
  if (candidate.error) return <p class="fault" role="alert">{candidate.error}</p>;
  if (!candidate.text) return candidate.done ? <p class="soft">No text.</p> : <p class="thinking" aria-label="Writing"><i /><i /><i /></p>;
  return <Markdown text={candidate.text} class={candidate.done ? "" : "writing"} />;
}

interface TurnProps {
  turn: Turn;
  newest: boolean;
  onChoose: (candidate: number | null) => void;
  onRate: (stars: number) => void;
  onAgain: () => void;
}

function Pair({ turn, newest, onChoose }: TurnProps) {
  const done = turn.candidates.every((one) => one.done);
  const usable = done && turn.candidates.every((one) => !one.error);
  return (
    <div>
      <div class="answer-pair">
        {turn.candidates.map((candidate, index) => (
          <section key={index} class={`candidate ${turn.chosen === index ? "chosen" : turn.chosen !== null ? "passed" : ""}`} aria-label={`Answer ${letter(index)}`} aria-busy={!candidate.done}>
            <div class="candidate-head"><span>{letter(index)}</span>{turn.chosen === index && <span class="tag accent">Chosen</span>}</div>
            <Text candidate={candidate} />
            {usable && turn.chosen !== index && (newest || turn.chosen === null) && (
              <Button class="choose" onClick={() => onChoose(index)} aria-keyshortcuts={newest ? (index === 0 ? "ArrowLeft" : "ArrowRight") : undefined}>
                {letter(index)} is better{newest && <Kbd chord={index === 0 ? "ArrowLeft" : "ArrowRight"} />}
              </Button>
            )}
          </section>
        ))}
      </div>
      {usable && turn.chosen === null && <p class="small soft pair-hint">Choose the better answer to go on. Neither: ask again.</p>}
    </div>
  );
}

/// A question and what the model said to it.
export function TurnView(props: TurnProps) {
  const { turn, newest, onRate, onAgain } = props;
  const done = turn.candidates.every((one) => one.done);
  const pair = turn.candidates.length > 1;
  const text = turn.candidates[turn.chosen ?? 0]!.text;
  return (
    <li class="exchange">
      <div class="asked"><span class="unseen">You: </span><p class="prose">{turn.ask}</p></div>
      {pair ? <Pair {...props} /> : <div class="answer" aria-busy={!done}><span class="unseen">Model: </span><Text candidate={turn.candidates[0]!} /></div>}
      {done && (!pair || turn.chosen !== null) && !turn.candidates[0]!.error && (
        <div class="turn-tools"><Stars value={turn.stars} onRate={onRate} /><Copy text={text} />{newest && <Button kind="quiet" onClick={onAgain}>Ask again</Button>}</div>
      )}
      {done && newest && ((pair && turn.chosen === null) || turn.candidates[0]!.error) && <div class="turn-tools"><Button onClick={onAgain}>Ask again</Button></div>}
    </li>
  );
}
