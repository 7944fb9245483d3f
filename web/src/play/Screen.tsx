import { useRef } from "preact/hooks";
import { Button } from "../components/Button";
import { figure, type Playing } from "./use_play";

/// Draws pictures as they come; one that took longer to decode than a newer one is left out.
export function usePainter() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const count = useRef({ came: 0, drawn: 0 });
  const draw = async (picture: Blob) => {
    const mine = ++count.current.came;
    const image = await createImageBitmap(picture);
    const screen = canvas.current;
    if (screen && mine > count.current.drawn) {
      count.current.drawn = mine;
      screen.getContext("2d")!.drawImage(image, 0, 0, screen.width, screen.height);
    }
    image.close();
  };
  return { canvas, draw };
}

function Note({ game }: { game: Playing }) {
  const { link, hello, state } = game;
  if (link === "taken") return <div class="play-note" role="status"><p>Another page plays now.</p><Button onClick={game.takeOver}>Play here</Button></div>;
  if (link === "connecting" || !state) return <div class="play-note" role="status">{hello ? "The program cannot be reached. Trying again…" : "Connecting…"}</div>;
  if (state.phase === "paused") return <div class="play-note" role="status"><p>Paused</p><p class="small">Space goes on.</p></div>;
  if (state.phase === "ready") return <div class="play-note clear" role="status"><p>Press a key to begin</p></div>;
  if (state.phase === "over") return <div class="play-note clear" role="status"><p>Episode {state.episode} is over: return {figure(state.return)}</p></div>;
  if (hello!.turns && state.step === 0) return <div class="play-note clear" role="status"><p>Each press is a step</p></div>;
  return null;
}

/// What is played, and what it waits for.
export function Screen({ game, canvas }: { game: Playing; canvas: preact.RefObject<HTMLCanvasElement> }) {
  const { hello, state } = game;
  const said = `${hello?.title ?? "The environment"}${state ? `: step ${state.step}, return ${figure(state.return)}` : ""}`;
  return (
    <div class="play-screen" data-phase={state?.phase}>
      {hello && !hello.picture
        ? <pre class="play-text" tabIndex={0} aria-label={said}>{state?.text}</pre>
        : <canvas ref={canvas} width={hello?.width ?? 600} height={hello?.height ?? 400} role="img" aria-label={said} />}
      <Note game={game} />
    </div>
  );
}
