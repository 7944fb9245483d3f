import { socket } from "../api";

// The wire of a person's game (docs/http_api.md): pictures and state come in, keys go out.

export interface KeyAction { label: string; chords: string[][] }
export interface PlayHello { environment: string; title: string; turns: boolean; rate: number; width: number; height: number; picture: boolean; keys: KeyAction[]; idle: string; out: string | null; max_steps: number }
export interface LastEpisode { episode: number; steps: number; return: number; end: "terminated" | "truncated" | "limit" | "cut"; kept: boolean }
export interface PlayState {
  phase: "ready" | "running" | "paused" | "over";
  episode: number;
  step: number;
  return: number;
  action: string | null;
  speed: number;
  text: string | null; // where there is no picture
  kept: { episodes: number; steps: number };
  last: LastEpisode | null;
}
export interface PlayFault { where: string; what: string; fix: string }
export type Link = "connecting" | "up" | "taken";
export interface PlayEvents {
  onHello: (hello: PlayHello) => void;
  onState: (state: PlayState) => void;
  onFrame: (picture: Blob) => void;
  onFault: (fault: PlayFault) => void;
  onLink: (link: Link) => void;
}
type Wire = Pick<WebSocket, "send" | "close" | "readyState" | "onopen" | "onclose" | "onmessage">;

export class PlaySession {
  private wire: Wire | null = null;
  private ended = false;

  constructor(private readonly events: PlayEvents, private readonly open: (path: string) => Wire = socket, private readonly wait = 1000) {
    this.connect();
  }

  key(key: string, down: boolean): void { this.say({ type: "key", key, down }); }
  release(): void { this.say({ type: "release" }); }
  pause(on: boolean): void { this.say({ type: "pause", on }); }
  speed(value: number): void { this.say({ type: "speed", value }); }
  reset(): void { this.say({ type: "reset" }); }
  keep(): void { this.say({ type: "keep" }); }
  throwAway(): void { this.say({ type: "throw_away" }); }

  /// Also takes the game from another page that has it.
  connect(): void {
    this.events.onLink("connecting");
    const wire = this.open("/api/play");
    let taken = false;
    this.wire = wire;
    wire.onopen = () => this.events.onLink("up");
    wire.onclose = () => {
      if (this.ended || taken) return;
      this.events.onLink("connecting");
      setTimeout(() => !this.ended && this.connect(), this.wait);
    };
    wire.onmessage = ({ data }) => {
      if (typeof data !== "string") return this.events.onFrame(new Blob([data], { type: "image/png" }));
      const message = JSON.parse(data);
      if (message.type === "hello") this.events.onHello(message);
      if (message.type === "state") this.events.onState(message);
      if (message.type === "fault") this.events.onFault(message);
      if (message.type === "taken") {
        taken = true;
        this.events.onLink("taken");
      }
    };
  }

  close(): void {
    this.ended = true;
    this.wire?.close();
  }

  private say(message: object): void {
    if (this.wire?.readyState === 1) this.wire.send(JSON.stringify(message));
  }
}
