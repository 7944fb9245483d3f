import type { Session } from "../api";

/// Everything below /chat; loaded when it is first shown.
export default function Chat({ path }: { path: string; session: Session }) {
  return <main class="page" aria-label="Chat">{path}</main>;
}
