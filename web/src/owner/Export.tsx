import type { Session } from "../api";
import { Head } from "../desk/Frame";
import { Badge } from "../desk/parts";

interface Format { name: string; title: string; what: string; lost: string }

const formats: Format[] = [
  { name: "events", title: "Events", what: "The log as it is: questions, answers, undos, documents, in commit order. JSON Lines.", lost: "" },
  { name: "trl", title: "TRL preference", what: "prompt, chosen, rejected: what TRL's DPO and reward trainers read. JSON Lines.", lost: "ties, strengths and who said it" },
  { name: "hh_rlhf", title: "hh-rlhf", what: "Two whole dialogues a line, chosen and rejected, with Human and Assistant turns.", lost: "ties, strengths and who said it" },
  { name: "summarize", title: "Summarize from feedback", what: "A post, two summaries, and the choice, in the layout of OpenAI's comparisons.", lost: "forms other than comparisons" },
  { name: "webgpt", title: "WebGPT comparisons", what: "Two answers with their quotes and a score from −1 to 1.", lost: "forms other than comparisons" },
  { name: "csv", title: "CSV", what: "One judgement a row, for a spreadsheet.", lost: "spans, dialogues and details of long answers" },
  { name: "argilla", title: "Argilla", what: "Records with responses, one for each annotator.", lost: "undone answers" },
  { name: "label_studio", title: "Label Studio", what: "Tasks with annotations. JSON.", lost: "undone answers" },
];

/// The store in files that other programs read.
export function Export(_: { session: Session }) {
  return (
    <>
      <Head title="Export" lead="Training here needs no export. These files are for other programs, and for keeping." />
      <ul class="formats">
        {formats.map((format) => (
          <li key={format.name} class="panel format">
            <div class="format-head"><h2>{format.title}</h2>{!format.lost && <Badge tone="good">Nothing lost</Badge>}</div>
            <p class="small">{format.what}</p>
            {format.lost && <p class="small soft">Leaves out {format.lost}.</p>}
            <a class="button" href={`/api/owner/export?format=${format.name}`} download aria-label={`Download ${format.title}`}>Download</a>
          </li>
        ))}
      </ul>
    </>
  );
}
