import { createContext } from "preact";
import { useContext } from "preact/hooks";

/// What a form can ask of the page around it.
export interface Surroundings {
  assignment: string;     // id of the lease under which the question is answered
  claim: (assignment: string) => void; // a turn of a conversation, answered here and not in the queue
  skip: (reason: string) => void;
  replayed: () => void;   // a clip was started again by hand
  blurred: boolean;       // the content was flagged as unsafe and is covered
  reveal: () => void;
}

export const FormContext = createContext<Surroundings>({ assignment: "", claim: () => {}, skip: () => {}, replayed: () => {}, blurred: false, reveal: () => {} });
export const useSurroundings = () => useContext(FormContext);
