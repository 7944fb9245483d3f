import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ActiveTime } from "../activity";
import { api, type Project, type Session } from "../api";
import { Button } from "../components/Button";
import { Dialog } from "../components/Dialog";
import { Markdown } from "../components/Markdown";
import { toast } from "../components/Toast";
import { clip } from "../forms/clips_cache";
import { lazy, navigate } from "../router";
import { offered as offeredNow, useShortcut } from "../shortcuts";
import { AnswerDesk } from "./AnswerDesk";
import { Desk } from "./desk";
import { NameDialog } from "./dialogs";
import { Guideline } from "./Guideline";
import { Header } from "./Header";
import { SettingsDialog } from "./Settings";
import "./annotate.css";
import "../forms/forms.css";

const HelpDialog = lazy<{ offered: Set<string>; onClose: () => void }>(() => import("./Help").then((module) => ({ default: module.HelpDialog })));

type Open = "guideline" | "settings" | "help" | "name" | null;

/// The page where questions are answered, one after another.
export function Annotate({ session, onSession }: { session: Session; onSession: (session: Session) => void }) {
  const [project, setProject] = useState<Project | null>(null);
  const [open, setOpen] = useState<Open>(null);
  const [offered, setOffered] = useState(new Set<string>());
  const { desk, activity } = useDesk(session.annotator);
  useEffect(() => void api.project().then(setProject, () => setProject(null)), []);
  useEffect(() => { document.title = project?.title || project?.name || "rlhf"; }, [project]);
  const help = () => { setOffered(offeredNow()); setOpen("help"); };
  useShortcut("guideline", () => setOpen("guideline"), !!project);
  useShortcut("settings", () => setOpen("settings"));
  useShortcut("help", help);
  useShortcut("history", () => navigate("/history"));
  const rename = async (name: string) => onSession(await api.login(name));
  const consent = project?.task.consent;
  return (
    <>
      <Header title={project?.title || project?.name || session.project} session={session} progress={project?.task.show_progress === false ? null : desk.progress} outlook={desk.outlook}
        onGuideline={project ? () => setOpen("guideline") : undefined} onSettings={() => setOpen("settings")} onHelp={help} onRetry={() => desk.retry()} />
      <Body desk={desk} activity={activity} />
      {consent && <Consent key={consent} project={project.name} text={consent} />}
      {open === "guideline" && project && <Guideline project={project} onClose={() => setOpen(null)} />}
      {open === "settings" && <SettingsDialog name={session.annotator} onName={session.login ? undefined : () => setOpen("name")} onClose={() => setOpen(null)} />}
      {open === "help" && <HelpDialog offered={offered} onClose={() => setOpen(null)} />}
      {open === "name" && <NameDialog name={session.annotator} onName={(name) => { setOpen(null); void rename(name); }} onClose={() => setOpen(null)} />}
    </>
  );
}

function useDesk(annotator: string) {
  const [, redraw] = useState({});
  const activity = useRef<ActiveTime | null>(null);
  const desk = useMemo(() => new Desk(annotator, {
    onChange: () => redraw({}),
    onNote: (text, bad) => toast(text, { tone: bad ? "bad" : "plain" }),
    onFetched: ({ question }) => question.items.forEach((item) => item.clip && void clip(item.clip).catch(() => {})),
  }), [annotator]);
  useEffect(() => {
    desk.start();
    const online = () => desk.retry();
    addEventListener("online", online);
    const beat = setInterval(() => activity.current?.recent(300) !== false && void desk.heartbeat(), 45_000);
    return () => { desk.stop(); removeEventListener("online", online); clearInterval(beat); };
  }, [desk]);
  return { desk, activity };
}

function Body({ desk, activity }: { desk: Desk; activity: { current: ActiveTime | null } }) {
  const undo = () => void desk.undo();
  if (desk.verdict) return <Verdict desk={desk} />;
  if (!desk.current) return <Empty desk={desk} onUndo={undo} />;
  const now = desk.current;
  return (
    <AnswerDesk key={`${now.id} ${desk.laid}`} assignment={now} start={desk.drafts.load(now.question.id)} send="Send"
      onSave={(draft) => desk.drafts.save(now.question.id, draft)} onUndo={undo} onActive={(time) => { activity.current = time; }} onClaim={(id) => desk.claim(id)}
      onAnswer={(answer, draft) => { desk.drafts.drop(now.question.id); desk.submit(answer, draft); }} />
  );
}

function Empty({ desk, onUndo }: { desk: Desk; onUndo: () => void }) {
  useShortcut("undo", onUndo);
  if (!desk.started) return <main class="page" aria-busy="true" />;
  const { waiting, fault } = desk;
  const soon = waiting?.seconds ? `about ${Math.max(1, Math.round(waiting.seconds))} s` : "";
  return (
    <main class="page">
      <div class="notice" role="status">
        <div class="breath" aria-hidden="true" />
        <h1>{fault ? "The server cannot be reached" : waiting ? "A moment, please" : "That was all for now"}</h1>
        <p class="soft">{fault || waiting?.reason || "There is no question left for you. New ones appear here by themselves."} {soon && <span>({soon})</span>}</p>
        <Button action="undo" onClick={onUndo}>Take back the last answer</Button>
      </div>
    </main>
  );
}

/// After a question of a qualification round: what was wanted, and why.
function Verdict({ desk }: { desk: Desk }) {
  const { pending, right, explanation } = desk.verdict!;
  useShortcut("submit", () => desk.goOn(), !pending);
  return (
    <main class="page">
      <div class="notice" role="status" aria-busy={pending}>
        {pending ? <p class="soft">A moment…</p> : (
          <>
            <div class={`verdict-sign ${right ? "good" : "warn"}`} aria-hidden="true">{right ? "✓" : "≠"}</div>
            <h1>{right ? "As expected" : "We see this one differently"}</h1>
            {explanation && <Markdown text={explanation} />}
            <Button kind="primary" action="submit" onClick={() => desk.goOn()}>Next</Button>
          </>
        )}
      </div>
    </main>
  );
}

/// What one should know before the first question; asked once a project and text.
function Consent({ project, text }: { project: string; text: string }) {
  const place = `rlhf.consent.${project}`;
  const [given, setGiven] = useState(() => localStorage.getItem(place) === text);
  if (given) return null;
  const agree = () => { localStorage.setItem(place, text); setGiven(true); };
  return (
    <Dialog title="Before you begin" onClose={() => {}} footer={<Button kind="primary" data-first onClick={agree}>I agree, and may stop at any time</Button>}>
      <Markdown text={text} />
    </Dialog>
  );
}
