import { useEffect, useState } from "preact/hooks";
import { api, type Answer, type HistoryEntry, type Question, type Session } from "../api";
import { Button } from "../components/Button";
import { Notice, toast } from "../components/Toast";
import { draftFrom, letter } from "../forms/draft";
import { words } from "../forms/scale";
import { navigate } from "../router";
import { useShortcut } from "../shortcuts";
import { AnswerDesk } from "./AnswerDesk";
import { Header } from "./Header";
import "./annotate.css";
import "../forms/forms.css";

/// What was said, in a few words.
export function summary(question: Question, { said }: Answer): string {
  switch (said.kind) {
    case "comparison": return words(question.form.parts[0]!, said, question.items.length);
    case "ranking": return said.groups.map((group) => group.map(letter).join(" = ")).join(" › ");
    case "rating": return said.values.map((each) => (said.values.length > 1 ? `${each.axis} ${each.value}` : String(each.value))).join(", ");
    case "rule_judgement": return `${said.entries.filter((each) => each.verdict === "breach").length} of ${said.entries.length} rules broken`;
    case "evidence_judgement": return `${said.entries.filter((each) => each.supported === "yes").length} of ${said.entries.length} supported`;
    case "span_critique": return `${said.spans.length} passage${said.spans.length === 1 ? "" : "s"} marked`;
    case "correction": case "demonstration": return said.text;
    case "conversation": return `${said.turns.length} turn${said.turns.length === 1 ? "" : "s"}`;
    case "signals": return `${said.count} presses`;
    case "hint_judgement": return `${said.opened} hint${said.opened === 1 ? "" : "s"} opened`;
    case "skip": return `Skipped: ${said.reason}`;
  }
}

const promptOf = (question: Question) => question.prompt.messages.at(-1)?.content || question.prompt.text || question.form.title;

/// Earlier answers, newest first. Each can be looked at and changed.
export function History({ session }: { session: Session }) {
  const [entries, setEntries] = useState<HistoryEntry[] | null>(null);
  const [more, setMore] = useState(false);
  const [open, setOpen] = useState<HistoryEntry | null>(null);
  const load = async (before: number) => {
    try {
      const { entries: found } = await api.history(before);
      setEntries((now) => (before ? [...(now ?? []), ...found] : found));
      setMore(found.length === 20);
    } catch (error) {
      toast((error as Error).message, { tone: "bad" });
      setEntries((now) => now ?? []);
    }
  };
  useEffect(() => void load(0), []);
  useEffect(() => { document.title = "My answers"; }, []);
  useShortcut("leave", () => (open ? setOpen(null) : navigate("/")));
  const revise = async (answer: Answer) => {
    try {
      await api.revise(open!.sequence, answer);
      toast("Your answer was changed");
    } catch (error) {
      toast(`Not changed: ${(error as Error).message}`, { tone: "bad" });
    }
    setOpen(null);
    void load(0);
  };
  if (open) {
    return (
      <>
        <Header title="Change an answer" session={session} />
        <div class="page slim"><Button onClick={() => setOpen(null)}>← All answers</Button></div>
        <AnswerDesk key={open.sequence} assignment={{ id: "", question: open.question, lease_until: 0 }} start={draftFrom(open.question, open.answer)} send="Change it" skippable={false} onAnswer={(answer) => void revise(answer)} />
      </>
    );
  }
  return (
    <>
      <Header title="My answers" session={session} />
      <main class="page">
        <h1>My answers</h1>
        {entries?.length === 0 && <Notice title="Nothing yet"><p class="soft">What you answer appears here, and can be changed.</p></Notice>}
        <ul class="history">
          {entries?.map((entry) => (
            <li key={entry.sequence} class={entry.undone ? "undone" : ""}>
              <div class="grow">
                <p class="history-prompt" dir="auto">{promptOf(entry.question)}</p>
                <p class="small"><strong dir="auto">{summary(entry.question, entry.answer)}</strong>{entry.undone && <span class="soft"> · taken back</span>}</p>
                <p class="small soft">{entry.question.form.title || entry.question.form.name} · <time dateTime={new Date(entry.answered_at * 1000).toISOString()}>{new Date(entry.answered_at * 1000).toLocaleString()}</time></p>
              </div>
              {!entry.undone && entry.answer.said.kind !== "skip" && <Button onClick={() => setOpen(entry)} aria-label={`Change the answer to: ${promptOf(entry.question).slice(0, 80)}`}>Change</Button>}
            </li>
          ))}
        </ul>
        {more && <div class="row centre"><Button onClick={() => void load(entries!.at(-1)!.sequence)}>Earlier answers</Button></div>}
      </main>
    </>
  );
}
