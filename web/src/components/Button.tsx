import type { ComponentChildren, JSX } from "preact";
import { keyAria, keysOf, keyText } from "../shortcuts";
import { useSettings } from "../settings";

type Native = Omit<JSX.ButtonHTMLAttributes<HTMLButtonElement>, "kind" | "icon">;
export interface ButtonProps extends Native {
  kind?: "plain" | "primary" | "quiet" | "danger";
  action?: string;   // of keys.ts: its key is written on the button
  keep?: boolean;    // a click leaves the focus where it is
  children?: ComponentChildren;
}

/// A button that shows its key. The key itself is bound by useShortcut.
export function Button({ kind = "plain", action, keep, children, class: extra, ...rest }: ButtonProps) {
  useSettings();
  const keys = action ? keysOf(action) : [];
  return (
    <button
      type="button"
      class={`button ${kind} ${extra ?? ""}`}
      aria-keyshortcuts={keys.map(keyAria).join(" ") || undefined}
      onMouseDown={keep ? (event) => event.preventDefault() : undefined}
      {...rest}
    >
      {children}
      {keys[0] && <Kbd chord={keys[0]} />}
    </button>
  );
}

/// A key as a cap. Hidden from screen readers, which hear aria-keyshortcuts instead.
export function Kbd({ chord }: { chord: string }) {
  return <kbd class="key" aria-hidden="true">{keyText(chord)}</kbd>;
}
