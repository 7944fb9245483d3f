import { useState } from "preact/hooks";
import { api, type ApiError, type Session } from "../api";
import { Button } from "../components/Button";
import { TextField } from "../components/Field";

export function Login({ onSession }: { onSession: (session: Session) => void }) {
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const enter = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      onSession(await api.login(String(form.get("name")), String(form.get("password"))));
    } catch (error) {
      setFault((error as ApiError).message);
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="card stack" onSubmit={enter}>
        <h1>Welcome</h1>
        <TextField label="Name" name="name" autocomplete="username" autofocus required />
        <TextField label="Password" name="password" type="password" autocomplete="current-password" fault={fault} />
        <Button kind="primary" type="submit" disabled={busy}>Log in</Button>
      </form>
    </main>
  );
}
