import { socket } from "../api";

// The wire of a real-time session (docs/http_api.md): frames and state come in, presses go out. Presses are numbered, and sent again
// after a break until the server says it has stored them.

export interface LiveState { tick: number; time: number; return: number; episode: number; action: unknown; paused: boolean; speed: number; signals: number }
export interface Press { number: number; tick: number; value: number; at: number; delay: number; seen?: number }
export interface LiveEvents {
  onFrame: (tick: number, picture: Blob) => void;
  onState: (state: LiveState) => void;
  onHello: (hello: { width: number; height: number; rate: number }) => void;
  onStored: (number: number) => void;
  onDelay: (seconds: number) => void;
  onLink: (up: boolean) => void;
}
type Wire = Pick<WebSocket, "send" | "close" | "readyState"> & Pick<WebSocket, "onopen" | "onclose" | "onmessage">;

export class LiveSession {
  tick = 0;
  private delay = 0; // seconds, half of the way there and back
  private rate = 1; // pictures a second at speed 1
  private period = Infinity; // seconds between two pictures
  private told = { tick: -1, time: 0 }; // the newest state
  private shown: { time: number; at: number } | null = null; // the picture on the screen: the session's time of it, and ours when it came
  private wire: Wire | null = null;
  private readonly unstored = new Map<number, Press>();
  private timers: ReturnType<typeof setInterval>[] = [];
  private ended = false;

  constructor(readonly name: string, private number: number, private readonly events: LiveEvents,
    private readonly open: (path: string) => Wire = socket, private readonly now = () => performance.now() / 1000) {
    this.connect();
    this.timers = [setInterval(() => this.say({ type: "ping", at: this.now() }), 2000)];
  }

  /// One press; returns its number. It counts for the picture that was on the screen.
  press(value: number): number {
    const press: Press = { number: ++this.number, tick: this.tick, value, at: this.now(), delay: this.delay, seen: this.seen() };
    this.unstored.set(press.number, press);
    this.say({ type: "signal", ...press });
    return press.number;
  }
  undo(): void { this.say({ type: "undo" }); }
  pause(on: boolean): void { this.say({ type: "pause", on }); }
  speed(value: number): void { this.say({ type: "speed", value }); }

  close(): void {
    this.ended = true;
    this.timers.forEach(clearInterval);
    this.wire?.close();
  }

  /// The moment of the session that is on the screen: its picture's, and how long that has been there. No clocks are compared, so that it
  /// does not matter how long either way takes. Where no newer picture comes, time on the screen stands still.
  private seen(): number | undefined {
    return this.shown ? this.shown.time + Math.min(this.now() - this.shown.at, this.period) : undefined;
  }

  private say(message: object): void {
    if (this.wire?.readyState === 1) this.wire.send(JSON.stringify(message));
  }

  private connect(): void {
    const wire = this.open(`/api/live/${encodeURIComponent(this.name)}`);
    this.wire = wire;
    wire.onopen = () => {
      this.events.onLink(true);
      this.say({ type: "ping", at: this.now() });
      this.unstored.forEach((press) => this.say({ type: "signal", ...press }));
    };
    wire.onclose = () => {
      this.events.onLink(false);
      if (!this.ended) setTimeout(() => !this.ended && this.connect(), 1000);
    };
    wire.onmessage = ({ data }) => (typeof data === "string" ? this.read(JSON.parse(data)) : this.frame(data));
  }

  private frame(data: ArrayBuffer): void {
    this.tick = Number(new DataView(data).getBigUint64(0, true));
    this.shown = this.told.tick === this.tick ? { time: this.told.time, at: this.now() } : null; // its state comes before it
    this.events.onFrame(this.tick, new Blob([data.slice(8)], { type: "image/png" }));
  }

  private read(message: any): void {
    switch (message.type) {
      case "hello":
        this.rate = message.rate;
        return this.events.onHello(message);
      case "state":
        this.told = message;
        this.period = 1 / (this.rate * message.speed);
        this.number = Math.max(this.number, message.signals ?? 0);
        return this.events.onState(message);
      case "stored":
        this.unstored.delete(message.number);
        return this.events.onStored(message.number);
      case "pong":
        this.delay = (this.now() - message.at) / 2;
        return this.events.onDelay(this.delay);
    }
  }
}
