/// Numbers of more than one digit from single keys: "1" waits for another digit only where 10 to 19 exist, "0" alone is nothing.
export class DigitBuffer {
  private typed = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly commit: (value: number) => void, private readonly wait = 700) {}

  press(digit: string, greatest: number): void {
    const whole = this.typed + digit;
    const value = Number(whole);
    clearTimeout(this.timer);
    if (value > greatest) {
      this.flush();
      if (this.typed === "" && Number(digit) <= greatest && whole !== digit) this.press(digit, greatest);
      return;
    }
    this.typed = value === 0 ? "" : whole;
    if (!this.typed) return;
    if (value * 10 > greatest) this.flush();
    else this.timer = setTimeout(() => this.flush(), this.wait);
  }

  /// What was typed, now.
  flush(): void {
    clearTimeout(this.timer);
    const value = Number(this.typed);
    this.typed = "";
    if (value) this.commit(value);
  }

  clear(): void {
    clearTimeout(this.timer);
    this.typed = "";
  }
}
