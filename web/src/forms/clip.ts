/// Which frame is shown `elapsed` seconds after the start. A clip holds its last frame for `hold` seconds and starts again.
export function frameAt(elapsed: number, fps: number, frames: number, hold: number): number {
  const length = frames / fps + hold;
  const within = ((elapsed % length) + length) % length;
  return Math.min(frames - 1, Math.floor(within * fps + 1e-6));
}

/// One clock for all clips of a question: they start, loop, pause and slow down together. The shortest waits for the longest.
export class ClipClock {
  private elapsed = 0;
  private since: number | null;
  private rate = 1;

  constructor(private readonly now: () => number, readonly fps: number, readonly frames: number, readonly hold = 0.3) {
    this.since = now();
  }

  get time(): number {
    return this.elapsed + (this.since === null ? 0 : (this.now() - this.since) * this.rate);
  }
  get paused(): boolean {
    return this.since === null;
  }
  get speed(): number {
    return this.rate;
  }
  get frame(): number {
    return frameAt(this.time, this.fps, this.frames, this.hold);
  }
  /// How many times it has begun.
  get loops(): number {
    return Math.floor(this.time / (this.frames / this.fps + this.hold)) + 1;
  }

  pause(on: boolean): void {
    this.elapsed = this.time;
    this.since = on ? null : this.now();
  }
  setSpeed(rate: number): void {
    this.elapsed = this.time;
    if (this.since !== null) this.since = this.now();
    this.rate = Math.min(4, Math.max(0.125, rate));
  }
  restart(): void {
    this.elapsed = 0;
    this.since = this.now();
  }
  /// Stops at a frame.
  seek(frame: number): void {
    this.elapsed = (((frame % this.frames) + this.frames) % this.frames) / this.fps;
    this.since = null;
  }
}
