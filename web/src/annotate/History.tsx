import type { Session } from "../api";
export function History(_: { session: Session }) { return <main class="page" />; }
