import { Kbd } from "../components/Button";
import { keyAria } from "../shortcuts";
import type { KeyAction } from "./play_session";
import type { Playing } from "./use_play";

function Chord({ keys }: { keys: string[] }) {
  return <span class="chord">{keys.map((key) => <Kbd key={key} chord={key} />)}</span>;
}

/// An action with its keys: also a button, for fingers, pens and those who tab.
function Action({ action, game }: { action: KeyAction; game: Playing }) {
  const first = action.chords[0];
  const held = action.chords.some((keys) => keys.every((key) => game.held.has(key)));
  const let_go = () => first && first.every((key) => game.held.has(key)) && game.hold(first, false);
  const press = (event: PointerEvent & { currentTarget: HTMLButtonElement }) => {
    event.preventDefault(); // the focus stays where it is
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    game.hold(first!, true);
  };
  const tap = (event: MouseEvent) => { // by keyboard or a helper: there is no pointer to hold it
    if (event.detail !== 0) return;
    game.hold(first!, true);
    game.hold(first!, false);
  };
  return (
    <li>
      <button type="button" class={`play-key ${held ? "held" : ""}`} disabled={!first} aria-keyshortcuts={action.chords.map((keys) => keys.map(keyAria).join("+")).join(" ") || undefined}
        onMouseDown={(event) => event.preventDefault()} onPointerDown={press} onPointerUp={let_go} onPointerCancel={let_go} onLostPointerCapture={let_go} onClick={tap}>
        <span class="play-key-name">{action.label}</span>
        <span class="play-key-caps">{action.chords.map((keys) => <Chord key={keys.join()} keys={keys} />)}</span>
      </button>
    </li>
  );
}

/// What each key does, and what no key does.
export function Keys({ game }: { game: Playing }) {
  const hello = game.hello!;
  return (
    <section class="panel play-keys" aria-labelledby="play-keys">
      <h2 id="play-keys">Keys</h2>
      <ul>{hello.keys.map((action) => <Action key={action.label} action={action} game={game} />)}</ul>
      <p class="play-idle small">
        {hello.turns ? <>No key: <strong>it waits for you</strong></> : <>No key: <strong>{hello.idle}</strong></>}
      </p>
    </section>
  );
}
