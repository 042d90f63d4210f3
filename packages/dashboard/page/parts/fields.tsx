import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface TextFieldProps {
  readonly label: string;
  readonly name: string;
  readonly type?: "text" | "datetime-local";
  readonly value?: string;
  readonly placeholder?: string;
  readonly isRequired?: boolean;
  readonly maxLength?: number;
  /** The id of a datalist with proposals. */
  readonly list?: string;
  /** Says below the field what to write there. */
  readonly hint?: string;
}

/** A line of text with its label. */
export function TextField({ label, name, type = "text", value = "", placeholder, isRequired, maxLength, list, hint }: TextFieldProps) {
  const hintId = useId();
  return (
    <>
      <label class="field">
        <span class="field-label">{label}</span>
        <input
          type={type}
          name={name}
          defaultValue={value}
          placeholder={placeholder}
          required={isRequired}
          maxLength={maxLength}
          list={list}
          aria-describedby={hint === undefined ? undefined : hintId}
          autocomplete="off"
          spellcheck={false}
        />
      </label>
      {hint === undefined ? null : (
        <p id={hintId} class="muted">
          {hint}
        </p>
      )}
    </>
  );
}

interface TextAreaProps {
  readonly label: string;
  readonly name: string;
  readonly value?: string;
  readonly placeholder?: string;
  readonly isRequired?: boolean;
}

/** Several lines of text with their label. */
export function TextArea({ label, name, value = "", placeholder, isRequired }: TextAreaProps) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <textarea name={name} defaultValue={value} placeholder={placeholder} required={isRequired} maxLength={10_000} rows={3} />
    </label>
  );
}

interface SelectFieldProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  /** Value and text of each choice. */
  readonly options: readonly (readonly [value: string, text: string])[];
  readonly onChoose?: (value: string) => void;
}

/** One of a few choices, with its label. */
export function SelectField({ label, name, value, options, onChoose }: SelectFieldProps) {
  return (
    <label class="field">
      <span class="field-label">{label}</span>
      <select name={name} onChange={(event) => onChoose?.(event.currentTarget.value)}>
        {options.map(([choice, text]) => (
          <option key={choice} value={choice} selected={choice === value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

interface ChoicesProps {
  readonly label: string;
  readonly name: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, text: string])[];
  onChoose(value: string): void;
}

/** One of a few choices, all visible; arrow keys move between them. */
export function Choices({ label, name, value, options, onChoose }: ChoicesProps) {
  return (
    <fieldset class="choices">
      <legend class="visually-hidden">{label}</legend>
      {options.map(([choice, text]) => (
        <label key={choice} class="choice">
          <input type="radio" name={name} value={choice} checked={choice === value} onChange={() => onChoose(choice)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Proposals for a text field. */
export function Proposals({ id, values }: { readonly id: string; readonly values: readonly string[] }) {
  return (
    <datalist id={id}>
      {values.map((value) => (
        <option key={value} value={value} />
      ))}
    </datalist>
  );
}

interface ButtonProps {
  readonly kind?: "primary" | "plain" | "danger" | "quiet";
  readonly type?: "button" | "submit";
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  /** Its accessible name, if its text alone does not tell enough. */
  readonly label?: string;
  readonly onPress?: () => void;
  readonly children: ComponentChildren;
}

/** A button. While busy it keeps the focus but does nothing. */
export function Button({ kind = "plain", type = "button", isBusy = false, isDisabled = false, label, onPress, children }: ButtonProps) {
  return (
    <button
      type={type === "submit" ? "submit" : "button"}
      class={`button ${kind}`}
      disabled={isDisabled}
      aria-disabled={isBusy}
      aria-label={label}
      onClick={(event) => {
        if (isBusy) {
          event.preventDefault();
        } else {
          onPress?.();
        }
      }}
    >
      {isBusy ? <span class="spinner" aria-hidden="true" /> : null}
      {children}
    </button>
  );
}
