import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { openLayer } from "../shortcuts";

interface DialogProps {
  title: string;
  onClose: () => void;
  side?: boolean;    // a panel at the edge instead of a box in the middle
  footer?: ComponentChildren;
  children: ComponentChildren;
}

/// A modal <dialog>: the browser keeps the focus inside and gives it back at the end; the page's shortcuts are deaf meanwhile.
export function Dialog({ title, onClose, side, footer, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const name = useId();
  useLayoutEffect(() => openLayer(), []);
  // With the drawing, not after it: the next key may come before the browser has painted, and it belongs to the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    const dialog = element.current!;
    dialog.showModal();
    dialog.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => {
      dialog.close(); // what lies below can have the focus again
      if (before?.isConnected) before.focus();
    };
  }, []);
  const outside = (event: MouseEvent) => event.target === element.current && onClose();
  return (
    <dialog
      ref={element}
      class={side ? "dialog side" : "dialog"}
      aria-labelledby={name}
      onCancel={(event) => { event.preventDefault(); onClose(); }}
      onMouseDown={outside}
    >
      <div class="dialog-inner">
        <header class="dialog-head">
          <h2 id={name}>{title}</h2>
          <button type="button" class="button quiet icon" onClick={onClose} aria-label="Close">✕</button>
        </header>
        <div class="dialog-body" tabIndex={0} role="group" aria-labelledby={name}>{children}</div>
        {footer && <footer class="dialog-foot">{footer}</footer>}
      </div>
    </dialog>
  );
}
