import type { Session } from "../api";
import { Notice } from "../components/Toast";
import { Frame } from "../desk/Frame";
import { lazy, Link } from "../router";
import { RunList } from "./RunList";
import "./runs.css";

const Run = lazy<{ name: string; part: string }>(() => import("./Run"));

/// Everything below /runs; loaded when it is first shown. The charts come with the first run that is opened.
export default function Runs({ path, session }: { path: string; session: Session }) {
  if (session.role === "annotator") {
    return <Notice title="These pages are for the owner"><p>You are logged in as {session.annotator}.</p><Link href="/">To the questions</Link></Notice>;
  }
  const [name, part] = path.replace(/^\/runs\/?/, "").split("/").map(decodeURIComponent);
  return (
    <Frame session={session} wide={!!name}>
      {name ? <Run key={name} name={name} part={part ?? ""} /> : <RunList />}
    </Frame>
  );
}
