import type { Session } from "../api";

/// Everything below /owner; loaded when it is first shown.
export default function Owner({ path }: { path: string; session: Session }) {
  return <main class="page" aria-label="Owner">{path}</main>;
}
