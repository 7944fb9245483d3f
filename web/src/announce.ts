// What a screen reader says without the focus moving. Two regions, because a message that equals the last one is not read again.
let regions: HTMLElement[] = [];
let turn = 0;

function region(): HTMLElement {
  const made = document.createElement("div");
  made.className = "unseen";
  made.setAttribute("role", "status");
  made.setAttribute("aria-live", "polite");
  document.body.append(made);
  return made;
}

/// Call once, before anything is announced: regions that are there from the start are read reliably.
export function prepareAnnouncements(): void {
  if (!regions.length) regions = [region(), region()];
}

export function announce(text: string): void {
  prepareAnnouncements();
  regions[turn]!.textContent = "";
  turn = 1 - turn;
  regions[turn]!.textContent = text;
}
