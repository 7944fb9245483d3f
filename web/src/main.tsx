import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import "./theme.css";
import "./components/components.css";
import { Annotate } from "./annotate/Annotate";
import { Login } from "./annotate/Login";
import { prepareAnnouncements } from "./announce";
import { api, ApiError, type Session, whenLoginIsNeeded } from "./api";
import { Notice, Toasts } from "./components/Toast";
import { lazy, usePath } from "./router";
import { applySettings } from "./settings";
import { checkShortcuts } from "./shortcuts";

const History = lazy<{ session: Session }>(() => import("./annotate/History").then((module) => ({ default: module.History })));
const Owner = lazy<{ path: string; session: Session }>(() => import("./owner"));
const Runs = lazy<{ path: string; session: Session }>(() => import("./runs"));
const Chat = lazy<{ path: string; session: Session }>(() => import("./chat"));
const Play = lazy<object>(() => import("./play"));

function Page({ session, onSession }: { session: Session; onSession: (session: Session) => void }) {
  const path = usePath();
  if (session.play) return <Play />; // `rlhf env play` has no other page
  const below = (folder: string) => path === folder || path.startsWith(folder + "/");
  if (path === "/") return <Annotate session={session} onSession={onSession} />;
  if (below("/history")) return <History session={session} />;
  if (below("/owner")) return <Owner path={path} session={session} />;
  if (below("/runs")) return <Runs path={path} session={session} />;
  if (below("/chat")) return <Chat path={path} session={session} />;
  return <Notice title="There is no such page"><a href="/">To the questions</a></Notice>;
}

function App() {
  const [session, setSession] = useState<Session | "login" | ApiError | null>(null);
  useEffect(() => {
    api.session().then(setSession, (fault: ApiError) => setSession(fault.status === 401 ? "login" : fault));
    return whenLoginIsNeeded(() => setSession("login"));
  }, []);
  if (session === null) return null;
  if (session === "login") return <Login onSession={setSession} />;
  if (session instanceof ApiError) return <Notice title="The server cannot be reached" tone="bad"><p>{session.message}</p></Notice>;
  return <Page key={session.annotator} session={session} onSession={setSession} />;
}

checkShortcuts();
applySettings();
prepareAnnouncements();
render(<><App /><Toasts /></>, document.getElementById("page")!);
