import type { ComponentChildren } from "preact";
import { Button } from "../components/Button";
import { useSettings } from "../settings";
import type { Draft } from "../forms/draft";

const sure = ["Guessing", "Unsure", "Fairly sure", "Certain"];
export const nextConfidence = (now: number | undefined): number => (now === undefined ? 1 : now >= 1 ? 0 : Math.round(now * 3 + 1) / 3);
export const confidenceWord = (value: number): string => sure[Math.round(value * 3)]!;

interface DockProps {
  draft: Draft;
  onDraft: (draft: Draft) => void;
  missing: string;
  send: string;
  onSend: () => void;
  onUndo?: () => void;
  onSkip?: () => void;
  onFlag?: () => void;
  comment: boolean;
  onComment: () => void;
  children?: ComponentChildren;
}

/// The bar at the bottom: what every question has, always in reach.
export function Dock({ draft, onDraft, missing, send, onSend, onUndo, onSkip, onFlag, comment, onComment, children }: DockProps) {
  const { confidence } = useSettings();
  return (
    <footer class="dock" aria-label="Your answer" role="region">
      {children && <div class="dock-answer">{children}</div>}
      {comment && (
        <textarea class="comment" rows={2} dir="auto" aria-label="Comment" placeholder="Anything worth knowing about this question" value={draft.comment}
          ref={(element) => { if (element && !element.dataset.seen) { element.dataset.seen = "1"; element.focus(); } }} onInput={(event) => onDraft({ ...draft, comment: event.currentTarget.value })} />
      )}
      {confidence && (
        <div class="row confidence" role="group" aria-label="How sure are you?">
          <span class="small soft">How sure?</span>
          {sure.map((word, at) => (
            <Button key={word} keep kind="quiet" aria-pressed={draft.confidence !== undefined && Math.round(draft.confidence * 3) === at} onClick={() => onDraft({ ...draft, confidence: at / 3 })}>{word}</Button>
          ))}
        </div>
      )}
      <div class="dock-row">
        {onUndo && <Button kind="quiet" keep action="undo" onClick={onUndo}>Undo</Button>}
        {onSkip && <Button kind="quiet" keep action="skip" onClick={onSkip}>Skip</Button>}
        {onFlag && <Button kind="quiet" keep action="flag" aria-pressed={draft.flags.length > 0} onClick={onFlag}>Flag{draft.flags.length ? ` (${draft.flags.length})` : ""}</Button>}
        <Button kind="quiet" keep action="comment" aria-expanded={comment} onClick={onComment}>Comment</Button>
        <span class="grow" />
        <span class="small soft missing">{missing}</span>
        <Button kind="primary" action="submit" aria-disabled={!!missing} onClick={onSend}>{send}</Button>
      </div>
    </footer>
  );
}
