import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

interface FieldProps { label: string; help?: string; fault?: string; children: (attributes: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => ComponentChildren }

/// A label, a control and what is wrong with it, tied together for screen readers.
export function Field({ label, help, fault, children }: FieldProps) {
  const id = useId();
  const described = [help && `${id}-help`, fault && `${id}-fault`].filter(Boolean).join(" ") || undefined;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {help && <p class="small soft" id={`${id}-help`}>{help}</p>}
      {children({ id, "aria-describedby": described, "aria-invalid": fault ? true : undefined })}
      {fault && <p class="fault small" id={`${id}-fault`} role="alert">{fault}</p>}
    </div>
  );
}

export function TextField({ label, help, fault, ...rest }: JSX.InputHTMLAttributes<HTMLInputElement> & { label: string; help?: string; fault?: string }) {
  return <Field label={label} help={help} fault={fault}>{(attributes) => <input class="input" {...attributes} {...rest} />}</Field>;
}

/// One of a few: a row of buttons that behaves as radio buttons.
export function Choice<T extends string | number>({ label, options, value, onChange, hide }: {
  label: string; options: { value: T; label: string; hint?: string }[]; value: T | undefined; onChange: (value: T) => void; hide?: boolean;
}) {
  const name = useId();
  return (
    <fieldset class="choice">
      <legend class={hide ? "unseen" : ""}>{label}</legend>
      <div class="segments">
        {options.map((option) => (
          <label key={option.value} class="segment" title={option.hint}>
            <input type="radio" name={name} checked={option.value === value} onChange={() => onChange(option.value)} />
            <span>{option.label}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Switch({ label, help, checked, onChange }: { label: string; help?: string; checked: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="switch">
      <input type="checkbox" role="switch" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span class="track" aria-hidden="true" />
      <span><span>{label}</span>{help && <span class="small soft block">{help}</span>}</span>
    </label>
  );
}
