import { useEffect, useRef, useState } from "preact/hooks";
import { announce } from "../announce";
import type { Comparison, Question } from "../api";
import { Button } from "../components/Button";
import { useShortcut } from "../shortcuts";
import { ClipClock } from "./clip";
import { clip, type Clip } from "./clips_cache";
import { useSurroundings } from "./context";
import { letter } from "./draft";
import { Cover } from "./Prompt";

interface ClipsProps { question: Question; chosen?: Comparison; onChoose?: (item: number) => void }

/// Clips side by side, frame by frame on one clock: same size, no score, looping with a hold of the last frame.
export function Clips({ question, chosen, onChoose }: ClipsProps) {
  const [clips, setClips] = useState<Clip[] | null>(null);
  const [fault, setFault] = useState("");
  const { skip } = useSurroundings();
  const hashes = question.items.map((item) => item.clip);
  useEffect(() => {
    let wanted = true;
    setClips(null);
    setFault("");
    Promise.all(hashes.map(clip)).then((made) => wanted && setClips(made), (error: Error) => wanted && setFault(error.message));
    return () => { wanted = false; };
  }, [hashes.join()]);
  if (fault) {
    return (
      <div class="card broken" role="alert">
        <p>A clip cannot be shown. {fault}</p>
        <Button onClick={() => skip("broken media")}>Skip this one</Button>
      </div>
    );
  }
  if (!clips) return <div class="clips">{hashes.map((hash, at) => <div key={at + hash} class="clip-empty" aria-busy="true">Loading…</div>)}</div>;
  return <Player key={hashes.join()} clips={clips} chosen={chosen} onChoose={onChoose} />;
}

function Player({ clips, chosen, onChoose }: { clips: Clip[]; chosen?: Comparison; onChoose?: (item: number) => void }) {
  const frames = Math.max(...clips.map((each) => each.frames.length));
  const [clock] = useState(() => new ClipClock(() => performance.now() / 1000, clips[0]!.fps, frames));
  const [frame, setFrame] = useState(0);
  const [, redraw] = useState({});
  const canvases = useRef<(HTMLCanvasElement | null)[]>([]);
  const { replayed } = useSurroundings();
  useEffect(() => {
    let shown = -1;
    let request = 0;
    const draw = () => {
      if (clock.frame !== shown) {
        shown = clock.frame;
        clips.forEach((each, at) => canvases.current[at]?.getContext("2d")?.drawImage(each.frames[Math.min(shown, each.frames.length - 1)]!, 0, 0, each.width, each.height));
        setFrame(shown);
      }
      request = requestAnimationFrame(draw);
    };
    draw();
    return () => cancelAnimationFrame(request);
  }, [clips]);
  const act = (what: () => void, say?: string) => { what(); redraw({}); if (say) announce(say); };
  const pause = () => act(() => clock.pause(!clock.paused), clock.paused ? "Plays" : "Paused");
  const replay = () => act(() => { clock.restart(); replayed(); }, "From the beginning");
  const speed = (factor: number) => act(() => clock.setSpeed(clock.speed * factor), `Speed ${clock.speed * factor}`);
  const step = (by: number) => act(() => clock.seek(clock.frame + by));
  useShortcut("clips.pause", pause);
  useShortcut("clips.replay", replay);
  useShortcut("clips.slower", () => speed(0.5));
  useShortcut("clips.faster", () => speed(2));
  useShortcut("clips.back", () => step(-1));
  useShortcut("clips.forward", () => step(1));
  return (
    <section class="clips-area" aria-label="Clips">
      <Cover>
        <div class="clips">
          {clips.map((each, at) => {
            const picked = !!chosen && !chosen.tie && !chosen.incomparable && chosen.best === at;
            return (
              <figure key={at} class={`clip ${picked ? "picked" : ""} ${onChoose ? "choosable" : ""}`} onClick={() => onChoose?.(at)}>
                <canvas ref={(element) => { canvases.current[at] = element; }} width={each.width} height={each.height} role="img" aria-label={`Clip ${letter(at)}: ${each.frames.length} frames`} data-frame={Math.min(frame, each.frames.length - 1)} />
                <figcaption><span class="letter">{letter(at)}</span>{picked && <span class="picked-note small">✓ Your choice</span>}</figcaption>
              </figure>
            );
          })}
        </div>
      </Cover>
      <div class="transport">
        <Button keep action="clips.pause" onClick={pause}>{clock.paused ? "Play" : "Pause"}</Button>
        <Button keep action="clips.replay" onClick={replay}>Again</Button>
        <input type="range" min={0} max={frames - 1} value={frame} aria-label="Frame" aria-valuetext={`Frame ${frame + 1} of ${frames}`} onInput={(event) => act(() => clock.seek(Number(event.currentTarget.value)))} />
        <Button keep kind="quiet" action="clips.slower" onClick={() => speed(0.5)} aria-label="Slower">Slower</Button>
        <output class="small" aria-label="Speed">{clock.speed}×</output>
        <Button keep kind="quiet" action="clips.faster" onClick={() => speed(2)} aria-label="Faster">Faster</Button>
      </div>
    </section>
  );
}
