import type { ComponentType } from "preact";
import type { Session } from "../api";
import { Notice } from "../components/Toast";
import { Frame } from "../desk/Frame";
import { Link, lazy } from "../router";
import { Annotators } from "./Annotators";
import { Answers } from "./Answers";
import { Disagreements } from "./Disagreements";
import { Export } from "./Export";
import { OverviewPage } from "./Overview";
import { Projects } from "./Projects";
import { Queue } from "./Queue";
import "./owner.css";

interface PageProps { session: Session }
// Pages with charts or an editor bring libraries of their own: fetched when they are first opened.
const pages: Record<string, ComponentType<PageProps>> = {
  "": OverviewPage,
  queue: Queue,
  answers: Answers,
  disagreements: Disagreements,
  agreement: lazy<PageProps>(() => import("./Agreement")),
  annotators: Annotators,
  reward: lazy<PageProps>(() => import("./Reward")),
  guideline: lazy<PageProps>(() => import("./Guideline")),
  export: Export,
  projects: Projects,
};

/// Everything below /owner; loaded when it is first shown.
export default function Owner({ path, session }: { path: string; session: Session }) {
  const Page = pages[path.replace(/^\/owner\/?/, "").replace(/\/$/, "")];
  if (session.role === "annotator") {
    return <Notice title="These pages are for the owner"><p>You are logged in as {session.annotator}.</p><Link href="/">To the questions</Link></Notice>;
  }
  return (
    <Frame session={session}>
      {Page ? <Page key={path} session={session} /> : <Notice title="There is no such page"><Link href="/owner">To the overview</Link></Notice>}
    </Frame>
  );
}
