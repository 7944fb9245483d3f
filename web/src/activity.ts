/// Seconds in which a page was in view and somebody was at it: each input counts for at most `window` seconds after it.
export class ActiveTime {
  private total = 0;
  private since: number; // what was counted until now
  private until: number; // when the last input stops counting
  private visible = true;

  constructor(private readonly now: () => number = () => performance.now() / 1000, start = 0, private readonly window = 30) {
    this.total = start;
    this.since = now();
    this.until = this.since + window;
  }

  input(): void {
    this.count();
    if (this.visible) this.until = this.now() + this.window;
  }

  show(visible: boolean): void {
    this.count();
    this.visible = visible;
    this.until = visible ? this.now() + this.window : this.now();
  }

  seconds(): number {
    this.count();
    return Math.round(this.total * 10) / 10;
  }

  /// Whether somebody was there within the last `span` seconds.
  recent(span: number): boolean {
    return this.now() - (this.until - this.window) < span;
  }

  private count(): void {
    const now = this.now();
    if (this.visible) this.total += Math.max(0, Math.min(now, this.until) - this.since);
    this.since = now;
  }
}
