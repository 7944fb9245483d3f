import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError } from "../api";
import { Button } from "../components/Button";
import { interval, known, nothing, type Estimate } from "./format";
import type { Loaded } from "./load";

export type Tone = "plain" | "good" | "bad" | "warn" | "accent";

export function Badge({ tone = "plain", children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

/// A number with its name; `note` says what it means.
export function Stat({ name, value, note, tone }: { name: string; value: ComponentChildren; note?: ComponentChildren; tone?: Tone }) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd><span class={`stat-value ${tone ?? ""}`}>{value}</span>{note && <span class="stat-note">{note}</span>}</dd>
    </div>
  );
}

export function Panel({ title, note, actions, children, flush }: {
  title?: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren; flush?: boolean;
}) {
  return (
    <section class={flush ? "panel flush" : "panel"} aria-label={title}>
      {(title || actions) && (
        <div class="panel-head">
          <div>{title && <h2>{title}</h2>}{note && <p class="soft small">{note}</p>}</div>
          {actions && <div class="row">{actions}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/// A table that scrolls sideways where it must; it can be scrolled by keyboard then.
export function Scroll({ label, children }: { label: string; children: ComponentChildren }) {
  const box = useRef<HTMLDivElement>(null);
  const [wider, setWider] = useState(false);
  useEffect(() => {
    const look = () => box.current && setWider(box.current.scrollWidth > box.current.clientWidth + 1);
    const watch = new ResizeObserver(look);
    watch.observe(box.current!);
    look();
    return () => watch.disconnect();
  }, []);
  return <div ref={box} class="scroll" {...(wider ? { tabIndex: 0, role: "region", "aria-label": label } : {})}>{children}</div>;
}

export function Fault({ fault, again }: { fault: ApiError; again?: () => void }) {
  return (
    <div class="fault-box" role="alert">
      <p><strong>{fault.message}</strong>{fault.where && <span class="soft"> {fault.where}</span>}</p>
      {fault.fix && <p>{fault.fix}</p>}
      {again && <Button onClick={again}>Try again</Button>}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return <div class="empty"><p class="empty-title">{title}</p>{children && <p class="soft">{children}</p>}</div>;
}

/// Waits for `from`, says what went wrong, and shows what came.
export function Shown<T>({ from, children }: { from: Loaded<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {from.fault && <Fault fault={from.fault} again={from.reload} />}
      {from.value !== null ? children(from.value) : !from.fault && <div class="waiting" role="status"><span class="unseen">Loading</span><i /><i /><i /></div>}
    </>
  );
}

/// A share or a coefficient on its axis: the interval as a bar, the value as a tick, landmarks as hairs.
export function Range({ estimate, low = 0, high = 1, marks = [], tone }: {
  estimate: Estimate | null; low?: number; high?: number; marks?: number[]; tone?: Tone;
}) {
  const at = (value: number) => Math.min(100, Math.max(0, (100 * (value - low)) / (high - low)));
  const has = estimate && known(estimate.low) && known(estimate.high);
  return (
    <svg class={`range ${tone ?? ""}`} viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">
      <line class="range-track" x1="0" x2="100" y1="8" y2="8" />
      {marks.map((mark) => <line key={mark} class="range-mark" x1={at(mark)} x2={at(mark)} y1="2" y2="14" />)}
      {has && <line class="range-spread" x1={at(estimate.low!)} x2={at(estimate.high!)} y1="8" y2="8" />}
      {estimate && known(estimate.value) && <line class="range-value" x1={at(estimate.value)} x2={at(estimate.value)} y1="2.5" y2="13.5" />}
    </svg>
  );
}

/// Value and interval as text: "73% (70 to 76%)".
export function Estimated({ estimate, show }: { estimate: Estimate | null; show: (value: number) => string }) {
  if (!estimate || !known(estimate.value)) return <span class="soft">{nothing}</span>;
  const spread = interval(estimate, show);
  return <span class="figure">{show(estimate.value)}{spread && <span class="soft small"> {spread}</span>}</span>;
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => {});
    setDone(true);
    setTimeout(() => setDone(false), 2000);
  };
  return <Button onClick={copy} aria-live="polite">{done ? "Copied" : label}</Button>;
}
