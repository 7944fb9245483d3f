import type { Session } from "../api";
export function Annotate(_: { session: Session; onSession: (session: Session) => void }) { return <main class="page" />; }
