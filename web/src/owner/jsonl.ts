// Questions from a file: checked here first, so that a person sees which line is wrong before anything is sent.

export interface Checked {
  questions: Record<string, unknown>[];
  faults: { line: number; what: string }[];
}

function fault(row: unknown): string | null {
  if (typeof row !== "object" || row === null || Array.isArray(row)) return "is no JSON object";
  const question = row as Record<string, unknown>;
  const asked = question.prompt ?? question.messages;
  if (asked === undefined || asked === null) return 'has no "prompt"';
  if (question.items !== undefined && !Array.isArray(question.items)) return '"items" is no list';
  return null;
}

/** Every line that is wrong is named; blank lines are none. */
export function readQuestions(text: string): Checked {
  const checked: Checked = { questions: [], faults: [] };
  text.replace(/^\uFEFF/, "").split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    let row: unknown;
    try {
      row = JSON.parse(line);
    } catch {
      checked.faults.push({ line: index + 1, what: "is no JSON" });
      return;
    }
    const what = fault(row);
    if (what) checked.faults.push({ line: index + 1, what });
    else checked.questions.push(row as Record<string, unknown>);
  });
  return checked;
}
