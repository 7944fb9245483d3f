import type { Session } from "../api";

/// Everything below /runs; loaded when it is first shown.
export default function Runs({ path }: { path: string; session: Session }) {
  return <main class="page" aria-label="Runs">{path}</main>;
}
