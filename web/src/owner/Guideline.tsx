import { useEffect, useState } from "preact/hooks";
import type { ApiError, Session } from "../api";
import { Button } from "../components/Button";
import { Field, Switch, TextField } from "../components/Field";
import { Markdown } from "../components/Markdown";
import { toast } from "../components/Toast";
import { Head } from "../desk/Frame";
import { asFault, useLoaded } from "../desk/load";
import { Badge, Fault, Panel, Shown } from "../desk/parts";
import { nextVersion } from "./version";
import { owner } from "./requests";
import type { Document } from "./types";

const fresh: Document = { kind: "guideline", name: "guideline", version: "", text: "" };

function Editor({ now, viewer, onPublished }: { now: Document; viewer: boolean; onPublished: () => void }) {
  const [text, setText] = useState(now.text);
  const [version, setVersion] = useState(nextVersion(now.version));
  const [again, setAgain] = useState(false);
  const [fault, setFault] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const changed = text !== now.text;
  useEffect(() => {
    if (!changed) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener("beforeunload", stay);
    return () => removeEventListener("beforeunload", stay);
  }, [changed]);
  const publish = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await owner.publish({ ...now, version: version.trim(), text, ask_again: again });
      toast(`Guideline ${version.trim()} is in force`);
      onPublished();
    } catch (caught) {
      setFault(asFault(caught));
      setBusy(false);
    }
  };
  const same = version.trim() === now.version;
  return (
    <form class="doc-editor" onSubmit={publish}>
      <div class="editor-panes">
        <Panel>
          <Field label="Text (Markdown)">
            {(attributes) => <textarea {...attributes} class="source" spellcheck readOnly={viewer} value={text} onInput={(event) => setText(event.currentTarget.value)} />}
          </Field>
        </Panel>
        <Panel title="As annotators read it"><div class="preview"><Markdown text={text || "*Nothing yet.*"} /></div></Panel>
      </div>
      {fault && <Fault fault={fault} />}
      {!viewer && (
        <div class="panel publish">
          <TextField label="Version" value={version} required maxLength={40} fault={same && changed ? "This version is in force already: give the change a new one." : undefined} onInput={(event) => setVersion(event.currentTarget.value)} />
          <Switch label="Ask again" help="Questions answered under earlier versions are opened again." checked={again} onChange={setAgain} />
          <div class="row"><Button onClick={() => setText(now.text)} disabled={!changed}>Undo changes</Button><Button kind="primary" type="submit" disabled={busy || !changed || same || !version.trim()}>Publish</Button></div>
        </div>
      )}
    </form>
  );
}

/// What annotators are told, in versions: every answer keeps the one it was given under.
export default function Guideline({ session }: { session: Session }) {
  const now = useLoaded(async (signal) => {
    try {
      return await owner.guideline("guideline", signal);
    } catch (caught) {
      const fault = asFault(caught);
      if (fault.status === 404) return fresh;
      throw fault;
    }
  });
  return (
    <>
      <Head title="Guideline" lead="Every answer keeps the version it was given under.">
        {now.value && <Badge tone={now.value.version ? "good" : "plain"}>{now.value.version ? `Version ${now.value.version} in force` : "None in force"}</Badge>}
      </Head>
      <Shown from={now}>{(value) => <Editor key={value.version} now={value} viewer={session.role === "viewer"} onPublished={now.reload} />}</Shown>
    </>
  );
}
