import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Session } from "../api";
import { Link, usePath } from "../router";
import { Icon, type IconName } from "./Icon";
import { Theme } from "./Theme";
import "./desk.css";

interface Place { href: string; name: string; icon: IconName }

const places: { title: string; places: Place[] }[] = [
  {
    title: "Feedback",
    places: [
      { href: "/owner", name: "Overview", icon: "overview" },
      { href: "/owner/queue", name: "Queue", icon: "queue" },
      { href: "/owner/answers", name: "Answers", icon: "search" },
      { href: "/owner/disagreements", name: "Disagreements", icon: "split" },
    ],
  },
  {
    title: "Quality",
    places: [
      { href: "/owner/agreement", name: "Agreement", icon: "agreement" },
      { href: "/owner/annotators", name: "Annotators", icon: "people" },
      { href: "/owner/reward", name: "Reward model", icon: "gauge" },
    ],
  },
  {
    title: "Project",
    places: [
      { href: "/owner/guideline", name: "Guideline", icon: "guide" },
      { href: "/owner/export", name: "Export", icon: "export" },
      { href: "/owner/projects", name: "Projects", icon: "projects" },
    ],
  },
];
const training: Place = { href: "/runs", name: "Runs", icon: "runs" };
const chat: Place = { href: "/chat", name: "Chat", icon: "chat" };

/// Those a session can use: annotators see neither the owner's pages nor the runs.
function shown(session: Session) {
  const model = session.model ? [chat] : [];
  if (session.role === "annotator") return [{ title: "Model", places: model }];
  return [...places, { title: "Model", places: [training, ...model] }];
}

const within = (path: string, href: string) => path === href || (href !== "/owner" && path.startsWith(`${href}/`));

function Places({ session }: { session: Session }) {
  const path = usePath();
  return (
    <>
      {shown(session).map((group) => (
        <div key={group.title} class="places">
          <h2 class="places-title">{group.title}</h2>
          <ul>
            {group.places.map((place) => (
              <li key={place.href}>
                <Link href={place.href} class="nav-place" aria-current={within(path, place.href) ? "page" : undefined}>
                  <Icon name={place.icon} />{place.name}
                </Link>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </>
  );
}

function Mark({ session }: { session: Session }) {
  return (
    <div class="mark">
      <img src="/icon.svg" alt="" width="24" height="24" />
      <span class="mark-text"><strong>rlhf</strong><span class="soft">{session.project}</span></span>
    </div>
  );
}

/// Everything but the annotators' page: places on the left (on a phone behind a button), the page beside them.
export function Frame({ session, wide, children }: { session: Session; wide?: boolean; children: ComponentChildren }) {
  const [open, setOpen] = useState(false);
  const path = usePath();
  useEffect(() => setOpen(false), [path]);
  const main = useRef<HTMLElement>(null);
  const skip = (event: MouseEvent) => {
    event.preventDefault();
    main.current?.focus();
  };
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={skip}>Skip to the page</a>
      <header class="side" data-open={open} onKeyDown={(event) => event.key === "Escape" && setOpen(false)}>
        <div class="side-head">
          <Mark session={session} />
          <button type="button" class="button quiet icon menu" aria-expanded={open} aria-controls="places" aria-label="Pages" onClick={() => setOpen(!open)}>
            <Icon name="menu" />
          </button>
        </div>
        <div class="side-body" id="places">
          <nav aria-label="Pages"><Places session={session} /></nav>
          <div class="side-foot">
            <Link href="/" class="nav-place"><Icon name="answer" />Answer questions</Link>
            <div class="who"><span class="who-name soft small" title={session.annotator}>{session.annotator}</span><Theme /></div>
          </div>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1} class={wide ? "desk broad" : "desk"}>{children}</main>
    </div>
  );
}

/// The head of a page. A new page takes the focus to its title, so that a screen reader says where one is.
export function Head({ title, lead, children }: { title: string; lead?: ComponentChildren; children?: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · rlhf`;
    if (document.activeElement?.closest(".side, .desk")) heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <div class="head">
      <div class="head-text">
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="head-actions">{children}</div>}
    </div>
  );
}
