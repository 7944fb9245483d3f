import type { Part, Question } from "../api";
import type { PartDraft } from "./draft";

/// What every part of a form gets, whatever it asks.
export interface PartProps<D extends PartDraft> {
  part: Part;
  question: Question;
  draft: D | undefined;
  onDraft: (draft: D | undefined) => void;
  active: boolean;              // keys go to this part
  row: number;                  // of rowsOf(part): the thing at hand
  onRow: (row: number) => void; // also makes this part the active one
  onNext: () => void;           // the row is answered: on to the next one
  onSend: () => void;           // the whole answer can go
}
