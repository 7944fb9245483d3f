import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";

export interface Tab { name: string; label: string; body: () => ComponentChildren }

/// Tabs after the ARIA pattern: one stop in the tab order, arrows move between them.
export function Tabs({ tabs, label, first }: { tabs: Tab[]; label: string; first?: string }) {
  const [open, setOpen] = useState(first ?? tabs[0]?.name);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const place = Math.max(0, tabs.findIndex((tab) => tab.name === open));
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, Home: -place, End: tabs.length - 1 - place }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (place + step + tabs.length) % tabs.length;
    setOpen(tabs[next]!.name);
    list.current?.querySelectorAll<HTMLElement>("[role=tab]")[next]?.focus();
  };
  return (
    <div class="tabs">
      <div role="tablist" aria-label={label} ref={list} onKeyDown={move}>
        {tabs.map((tab, index) => (
          <button
            key={tab.name} type="button" role="tab" id={`${id}-${tab.name}`} aria-selected={index === place}
            aria-controls={`${id}-panel`} tabIndex={index === place ? 0 : -1} onClick={() => setOpen(tab.name)}
          >{tab.label}</button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${tabs[place]?.name}`} tabIndex={0}>{tabs[place]?.body()}</div>
    </div>
  );
}
