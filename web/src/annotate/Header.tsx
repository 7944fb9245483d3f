import type { Progress, Session } from "../api";
import { Button } from "../components/Button";
import { Link } from "../router";
import type { Outlook } from "../outbox";

interface HeaderProps {
  title: string;
  session: Session;
  progress?: Progress | null;
  outlook?: Outlook;
  onGuideline?: () => void;
  onSettings?: () => void;
  onHelp?: () => void;
  onRetry?: () => void;
}

const whole = new Intl.NumberFormat("en");

/// The slim bar at the top: where one is, how far it is, and what helps.
export function Header({ title, session, progress, outlook, onGuideline, onSettings, onHelp, onRetry }: HeaderProps) {
  return (
    <header class="header">
      <a class="jump" href="#question">To the question</a>
      <strong class="project" dir="auto">{title}</strong>
      <nav aria-label="Pages">
        <Link href="/">Questions</Link>
        <Link href="/history">My answers</Link>
        {session.model && <Link href="/chat">Chat</Link>}
        {session.role === "owner" && <Link href="/owner">Owner</Link>}
      </nav>
      <span class="grow" />
      {outlook && outlook.waiting > 0 && (
        <button type="button" class={`pill ${outlook.offline ? "warn" : ""}`} onClick={onRetry} title="Try now">
          {outlook.offline ? `Offline: ${outlook.waiting} kept here` : `Sending ${outlook.waiting}…`}
        </button>
      )}
      {progress && <ProgressNote {...progress} />}
      {onGuideline && <Button kind="quiet" action="guideline" onClick={onGuideline}>Guideline</Button>}
      {onSettings && <Button kind="quiet" class="settings-button" onClick={onSettings} aria-label="Settings" aria-keyshortcuts="e"><span aria-hidden="true">Aa</span></Button>}
      {onHelp && <Button kind="quiet" class="icon" onClick={onHelp} aria-label="Shortcuts" aria-keyshortcuts="?"><span aria-hidden="true">?</span></Button>}
    </header>
  );
}

function ProgressNote({ mine, mine_today, answered, wanted }: Progress) {
  const share = wanted ? Math.min(1, answered / wanted) : 0;
  const said = `${whole.format(mine_today)} today, ${whole.format(mine)} by you; ${whole.format(answered)} of ${whole.format(wanted)} in all`;
  return (
    <span class="progress small soft" role="img" aria-label={said} title={said}>
      <span class="progress-mine">{whole.format(mine_today)} today</span>
      <span class="bar"><span style={{ width: `${share * 100}%` }} /></span>
      <span class="progress-all">{whole.format(answered)} / {whole.format(wanted)}</span>
    </span>
  );
}
