import { socket } from "../api";

// The wire of a real-time session (docs/http_api.md): frames and state come in, presses go out. Presses are numbered, and sent again
// after a break until the server says it has stored them.

export interface LiveState { tick: number; time: number; return: number; episode: number; action: unknown; paused: boolean; speed: number; signals: number }
export interface Press { number: number; tick: number; value: number; at: number; delay: number }
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
  private delay = 0; // seconds, one way
  private wire: Wire | null = null;
  private readonly unstored = new Map<number, Press>();
  private timers: ReturnType<typeof setInterval>[] = [];
  private ended = false;

  constructor(readonly name: string, private number: number, private readonly events: LiveEvents,
    private readonly open: (path: string) => Wire = socket, private readonly now = () => performance.now() / 1000) {
    this.connect();
    this.timers = [setInterval(() => this.say({ type: "ping", at: this.now() }), 2000)];
  }

  /// One press; returns its number. It counts for the frame that was on the screen.
  press(value: number): number {
    const press = { number: ++this.number, tick: this.tick, value, at: this.now(), delay: this.delay };
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
    this.events.onFrame(this.tick, new Blob([data.slice(8)], { type: "image/png" }));
  }

  private read(message: any): void {
    switch (message.type) {
      case "hello": return this.events.onHello(message);
      case "state":
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
