import { useEffect } from "preact/hooks";
import { Button } from "../components/Button";
import { Theme } from "../desk/Theme";
import type { LastEpisode } from "./play_session";
import { Keys } from "./Keys";
import { Screen, usePainter } from "./Screen";
import { figure, usePlay, type Playing } from "./use_play";
import "../desk/desk.css";
import "./play.css";

function Controls({ game }: { game: Playing }) {
  const { hello, state } = game;
  const rate = hello!.rate * (state?.speed ?? 1);
  return (
    <div class="play-controls">
      {!hello!.turns && (
        <>
          <Button keep action="play.pause" onClick={game.pause} disabled={state?.phase === "over"}>{state?.phase === "running" ? "Pause" : "Go on"}</Button>
          <Button keep kind="quiet" action="play.slower" onClick={() => game.speed(0.5)}>Slower</Button>
          <output class="small" aria-label="Steps a second">{figure(rate)} / s</output>
          <Button keep kind="quiet" action="play.faster" onClick={() => game.speed(2)}>Faster</Button>
        </>
      )}
      <Button keep kind="quiet" action="play.reset" onClick={game.reset}>Start again</Button>
    </div>
  );
}

function Readout({ game }: { game: Playing }) {
  const { hello, state } = game;
  if (!state) return null;
  return (
    <dl class="stats play-stats">
      <div class="stat"><dt>Return</dt><dd class="stat-value" data-return>{figure(state.return)}</dd></div>
      <div class="stat"><dt>Step</dt><dd class="stat-value" data-step>{state.step}{hello!.max_steps > 0 && <span class="stat-note"> of {hello!.max_steps}</span>}</dd></div>
      <div class="stat"><dt>Episode</dt><dd class="stat-value" data-episode>{state.episode}</dd></div>
      <div class="stat"><dt>Last action</dt><dd class="play-action" data-action>{state.action ?? "–"}</dd></div>
    </dl>
  );
}

const endings: Record<LastEpisode["end"], string> = { terminated: "it ended", truncated: "its time was over", limit: "it was long enough", cut: "you started again" };

function Fate({ last, out, game }: { last: LastEpisode; out: string | null; game: Playing }) {
  return (
    <>
      <p><strong>Episode {last.episode}</strong>: return {figure(last.return)}, {last.steps} {last.steps === 1 ? "step" : "steps"}; {endings[last.end]}.</p>
      {out && (
        <div class="play-fate">
          <span class={`play-sign ${last.kept ? "good" : ""}`} data-kept={last.kept}>{last.kept ? "Kept" : "Not kept"}</span>
          <Button keep action="play.keep" onClick={game.keep} disabled={last.kept}>Keep</Button>
          <Button keep action="play.throw_away" onClick={game.throwAway} disabled={!last.kept}>Throw away</Button>
        </div>
      )}
    </>
  );
}

function Episodes({ game }: { game: Playing }) {
  const { hello, state } = game;
  const out = hello!.out;
  return (
    <section class="panel" aria-labelledby="play-episodes">
      <h2 id="play-episodes">Episodes</h2>
      {state?.last ? <Fate last={state.last} out={out} game={game} /> : <p class="soft small">What you play to its end {out ? <>is kept in <code>{out}</code></> : "is counted here"}.</p>}
      {out
        ? <p class="soft small" data-tally>{state?.kept.episodes ?? 0} {state?.kept.episodes === 1 ? "episode" : "episodes"}, {state?.kept.steps ?? 0} steps kept in <code>{out}</code></p>
        : <p class="soft small">Nothing is kept. To teach an agent by what you show, start with <code>--out shown.jsonl</code>.</p>}
    </section>
  );
}

/// A person plays an environment: `rlhf env play`.
export default function PlayPage() {
  const { canvas, draw } = usePainter();
  const game = usePlay(draw);
  const name = game.hello?.title ?? "Play";
  useEffect(() => { document.title = `${name} · rlhf`; }, [name]);
  return (
    <>
      <header class="play-head">
        <img src="/icon.svg" alt="" width="24" height="24" />
        <h1>{name}</h1>
        <Theme />
      </header>
      <main class="play">
        <div class="play-left">
          <Screen game={game} canvas={canvas} />
          {game.hello && <Controls game={game} />}
        </div>
        {game.hello && (
          <div class="play-right">
            <Readout game={game} />
            <Keys game={game} />
            <Episodes game={game} />
          </div>
        )}
      </main>
    </>
  );
}
