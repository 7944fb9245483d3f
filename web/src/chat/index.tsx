import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "../api";
import { Button, Kbd } from "../components/Button";
import { Field, Switch, TextField } from "../components/Field";
import { Notice } from "../components/Toast";
import { Frame, Head } from "../desk/Frame";
import { useKept } from "../desk/load";
import { Link } from "../router";
import { last, running, undecided } from "./conversation";
import { TurnView } from "./Turn";
import { useChat, type Choices } from "./use_chat";
import "./chat.css";

const plain: Choices = { system: "", temperature: 0.8, max_tokens: 512, pair: false };

function Panel({ choices, onChange }: { choices: Choices; onChange: (choices: Choices) => void }) {
  const set = (part: Partial<Choices>) => onChange({ ...choices, ...part });
  return (
    <div class="chat-settings panel">
      <Field label="System prompt" help="For new questions.">
        {(attributes) => <textarea {...attributes} rows={4} value={choices.system} onInput={(event) => set({ system: event.currentTarget.value })} />}
      </Field>
      <label class="field temperature"><span class="field-name">Temperature <output class="figure">{choices.temperature.toFixed(2)}</output></span>
        <input type="range" min="0" max="2" step="0.05" value={choices.temperature} onInput={(event) => set({ temperature: event.currentTarget.valueAsNumber })} />
      </label>
      <TextField label="Longest answer" help="Tokens." type="number" min="1" max="32768" step="1" value={choices.max_tokens} onInput={(event) => set({ max_tokens: Math.max(1, Math.round(event.currentTarget.valueAsNumber || 1)) })} />
    </div>
  );
}

function Composer({ busy, blocked, onAsk, onStop }: { busy: boolean; blocked: boolean; onAsk: (text: string) => void; onStop: () => void }) {
  const [text, setText] = useState("");
  const box = useRef<HTMLTextAreaElement>(null);
  const send = () => {
    if (!text.trim() || busy || blocked) return;
    onAsk(text.trim());
    setText("");
  };
  const key = (event: KeyboardEvent) => {
    if (event.isComposing || event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    send();
  };
  useEffect(() => {
    const area = box.current!;
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 240)}px`;
  }, [text]);
  return (
    <form class="chat-composer" onSubmit={(event) => { event.preventDefault(); send(); }}>
      <textarea ref={box} rows={1} autofocus aria-label="Message" placeholder={blocked ? "Choose an answer first" : "Ask something"} value={text} onInput={(event) => setText(event.currentTarget.value)} onKeyDown={key} />
      {busy
        ? <Button onClick={onStop} aria-keyshortcuts="Escape">Stop <Kbd chord="Escape" /></Button>
        : <Button kind="primary" type="submit" disabled={!text.trim() || blocked}>Send <Kbd chord="Enter" /></Button>}
    </form>
  );
}

function Chat() {
  const [choices, setChoices] = useKept<Choices>("chat", plain);
  const [open, setOpen] = useState(false);
  const chat = useChat(choices);
  const { talk } = chat;
  const busy = running(talk), blocked = undecided(talk), newest = talk.turns.length - 1;
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && busy) return chat.stop();
      const field = event.target instanceof HTMLTextAreaElement ? event.target.value !== "" : event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
      const side = { ArrowLeft: 0, ArrowRight: 1 }[event.key];
      if (side === undefined || field || !blocked) return;
      event.preventDefault();
      chat.choose(newest, side);
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  });
  // The newest words stay in view unless somebody reads further up.
  useEffect(() => {
    if (innerHeight + scrollY > document.body.scrollHeight - 240) end.current?.scrollIntoView({ block: "end" });
  }, [talk]);

  return (
    <div class="chat">
      <Head title="Chat">
        <Switch label="Two answers" checked={choices.pair} onChange={(pair) => setChoices({ ...choices, pair })} />
        <Button kind="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>Settings</Button>
        <Button kind="quiet" onClick={chat.clear} disabled={!last(talk)}>New chat</Button>
      </Head>
      {open && <Panel choices={choices} onChange={setChoices} />}
      {talk.turns.length === 0 && (
        <div class="chat-empty">
          <p class="empty-title">Ask the model something</p>
          <p class="soft">With two answers at once, the one you choose is stored as a comparison. Stars are stored as ratings.</p>
        </div>
      )}
      <ol class="turns" aria-label="Conversation">
        {talk.turns.map((turn, index) => (
          <TurnView key={index} turn={turn} newest={index === newest} onChoose={(candidate) => chat.choose(index, candidate)} onRate={(stars) => chat.rate(index, stars)} onAgain={chat.again} />
        ))}
      </ol>
      <div class="chat-foot"><Composer busy={busy} blocked={blocked} onAsk={chat.ask} onStop={chat.stop} /></div>
      <div ref={end} />
    </div>
  );
}

/// Talking to the model of `rlhf serve`; what is chosen or starred goes into the store.
export default function ChatPage({ session }: { path: string; session: Session }) {
  if (!session.model) return <Notice title="No model is loaded"><p>Start <code>rlhf serve MODEL</code> to chat with one.</p><Link href="/">To the questions</Link></Notice>;
  return <Frame session={session}><Chat /></Frame>;
}
