import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ActiveTime } from "../activity";
import { announce } from "../announce";
import { api, ApiError, type Assignment, type Comparison, events, type Message } from "../api";
import { Button } from "../components/Button";
import { Markdown } from "../components/Markdown";
import { useShortcut } from "../shortcuts";
import { Compare } from "./Compare";
import { useSurroundings } from "./context";
import { letter, type TalkDraft } from "./draft";
import { Pace } from "./pace";
import type { PartProps } from "./part";
import { Cover, Dialogue } from "./Prompt";

const none: TalkDraft = { kind: "conversation", messages: [], turns: [] };

/// A dialogue in which every turn offers two candidates; it goes on with the one that was chosen, edited if that makes it better.
export function Converse({ part, question, draft, onDraft, active, onRow, onNext }: PartProps<TalkDraft>) {
  const talk = draft ?? none;
  const latest = useRef(talk); // letters may be typed while the choice of a reply is on its way
  latest.current = talk;
  const set = (to: Partial<TalkDraft>) => { latest.current = { ...latest.current, ...to }; onDraft(latest.current); };
  const [sending, setSending] = useState(false);
  const eager = useRef(false);
  const { skip, assignment } = useSurroundings();
  const { streams, fault, send, stop } = useReplies(question.prompt.messages, assignment, talk, set);
  const box = useRef<HTMLTextAreaElement>(null);
  const busy = streams !== null;
  const open = !busy && !talk.turn && !talk.ended;
  const speak = () => {
    const text = (talk.unsent ?? "").trim();
    eager.current = sending; // said before the choice has arrived: sent as soon as it has
    if (text && open) void send(text);
  };
  const end = () => { set({ ended: true }); announce("The conversation has ended"); onNext(); };
  useShortcut("chat.end", end, active && open && talk.turns.length > 0);
  useShortcut("chat.write", () => box.current?.focus(), active && open);
  const writable = open || sending;
  useLayoutEffect(() => { if (writable && active) box.current?.focus({ preventScroll: true }); }, [writable]);
  useEffect(() => { if (open && eager.current) speak(); }, [open]);
  useEffect(() => stop, []);
  const keys = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    speak();
  };
  return (
    <div class="talk" onFocusIn={() => onRow(0)}>
      <Cover><Dialogue messages={talk.messages} you /></Cover>
      {streams && (
        <div class="items pair" aria-busy="true" aria-label="Replies on their way">
          {streams.map((text, at) => <div key={at} class="item card"><header class="item-head"><span class="letter">{letter(at)}</span></header><div class="item-body"><Markdown text={text || "…"} /></div></div>)}
        </div>
      )}
      {talk.turn && <Turn key={talk.turn.id} turn={talk.turn} active={active && !sending} onSending={setSending}
        onChosen={(reply, id) => { setSending(false); set({ turn: undefined, messages: [...talk.messages, { role: "assistant", content: reply }], turns: [...talk.turns, id] }); }} />}
      {fault && <p class="fault" role="alert">{fault} <Button onClick={speak}>Try again</Button></p>}
      {writable && (
        <div class="composer">
          <textarea ref={box} rows={2} dir="auto" aria-label="Your message" placeholder="Write a message" value={talk.unsent ?? ""} onInput={(event) => set({ unsent: event.currentTarget.value })} onKeyDown={keys} />
          <Button kind="primary" onClick={speak} disabled={!talk.unsent?.trim()}>Say it <kbd class="key" aria-hidden="true">↵</kbd></Button>
        </div>
      )}
      <div class="row">
        {open && talk.turns.length > 0 && <Button action="chat.end" onClick={end}>End the conversation</Button>}
        {talk.ended && <><span class="soft">The conversation has ended.</span><Button kind="quiet" onClick={() => set({ ended: false })}>Go on talking</Button></>}
        <span class="grow" />
        <Button kind="quiet" onClick={() => skip("upsetting")}>Stop, this upsets me</Button>
      </div>
      <span class="unseen">{part.label}</span>
    </div>
  );
}

function useReplies(before: Message[], assignment: string, talk: TalkDraft, set: (to: Partial<TalkDraft>) => void) {
  const [streams, setStreams] = useState<[string, string] | null>(null);
  const [fault, setFault] = useState("");
  const abort = useRef<AbortController | null>(null);
  const send = async (text: string) => {
    const messages = [...talk.messages, { role: "user", content: text }];
    setFault("");
    setStreams(["", ""]);
    const pace = new Pace();
    const timer = setInterval(() => setStreams(pace.shown()), 50);
    abort.current = new AbortController();
    try {
      let turn: Assignment | undefined;
      for await (const { event, data } of events("/api/chat", { assignment, messages: [...before, ...messages] }, abort.current.signal)) {
        if (event === "token") pace.add(data.candidate, data.text);
        if (event === "turn") turn = data.assignment;
        if (event === "error") throw new ApiError(500, data?.what ?? "The model stopped.");
      }
      if (!turn) throw new ApiError(0, "The replies did not arrive whole.");
      set({ messages, turn, unsent: "" });
      announce("Two replies: choose one");
    } catch (error) {
      if (!abort.current.signal.aborted) setFault((error as Error).message);
    } finally {
      clearInterval(timer);
      setStreams(null);
    }
  };
  return { streams, fault, send, stop: () => abort.current?.abort() };
}

/// The two replies of a turn. The choice is stored at once: it is a comparison of its own.
function Turn({ turn, active, onSending, onChosen }: { turn: Assignment; active: boolean; onSending: (on: boolean) => void; onChosen: (reply: string, question: string) => void }) {
  const [said, setSaid] = useState<Comparison>();
  const [edit, setEdit] = useState<string | null>(null);
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const time = useMemo(() => new ActiveTime(), []);
  const region = useRef<HTMLDivElement>(null);
  const items = turn.question.items;
  const part = turn.question.form.parts[0]!;
  const { claim } = useSurroundings();
  useLayoutEffect(() => region.current?.focus({ preventScroll: true }), []);
  useEffect(() => {
    claim(turn.id);
    region.current?.scrollIntoView({ block: "nearest" });
    const beat = setInterval(() => void api.heartbeat([turn.id]).catch(() => {}), 45_000);
    return () => clearInterval(beat);
  }, []);
  const reply = items[said?.best ?? 0]?.text ?? "";
  const goOn = async () => {
    if (!said || busy) return;
    setBusy(true);
    onSending(true);
    try {
      const corrects = turn.question.form.parts.find((each) => each.ask === "correct");
      const text = edit ?? reply;
      const details = corrects && edit !== null ? { [corrects.name]: { kind: "correction" as const, item: said.best, text } } : {};
      await api.answer(turn.id, { said, details, active_seconds: time.seconds(), client: { page: "web", edited: edit !== null && edit !== reply } });
      onChosen(text, turn.question.id);
    } catch (error) {
      setFault((error as Error).message);
      setBusy(false);
      onSending(false);
    }
  };
  useShortcut("submit", () => void goOn(), active && !!said);
  useShortcut("chat.edit", () => setEdit(reply), active && !!said && edit === null && !part.worse);
  return (
    <div class="turn stack tight" ref={region} tabIndex={-1} role="group" aria-label="Choose a reply" onInput={() => time.input()}>
      <div class="items pair">
        {items.map((item, at) => (
          <article key={at} class={`item card choosable ${said && !said.tie && said.best === at ? "picked" : ""}`} aria-label={`Reply ${letter(at)}`} onClick={() => { if (!String(getSelection())) setSaid((now) => (now?.best === at && !now.tie ? now : { kind: "comparison", best: at, tie: false, strength: part.levels.length ? 1 / part.levels.length : 1, both_bad: false, incomparable: false })); }}>
            <header class="item-head"><span class="letter">{letter(at)}</span></header>
            <div class="item-body"><Cover><Markdown text={item.text} /></Cover></div>
          </article>
        ))}
      </div>
      <p class="part-label">{turn.question.form.instruction || part.label}</p>
      <Compare part={part} question={turn.question} draft={said} onDraft={(next) => { setSaid(next); time.input(); }} active={active} row={0} onRow={() => {}} onNext={() => {}} onSend={() => {}} />
      {edit !== null && <textarea class="edit-reply" rows={4} dir="auto" aria-label="Your version of the reply" value={edit} onInput={(event) => setEdit(event.currentTarget.value)} ref={(element) => { if (element && !element.dataset.seen) { element.dataset.seen = "1"; element.focus(); } }} />}
      {fault && <p class="fault" role="alert">{fault}</p>}
      <div class="row">
        <Button kind="primary" action="submit" disabled={!said || busy} onClick={() => void goOn()}>Go on{said && !said.tie && !said.incomparable ? ` with ${letter(said.best)}` : ""}</Button>
        {said && edit === null && !part.worse && <Button action="chat.edit" onClick={() => setEdit(reply)}>Make it better first</Button>}
      </div>
    </div>
  );
}
