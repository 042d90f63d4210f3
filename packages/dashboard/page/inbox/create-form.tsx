import type { TargetedEvent } from "preact";
import { useRef } from "preact/hooks";
import { Button, Proposals, TextArea, TextField } from "../parts/fields.tsx";
import { fieldOf, useFormValues } from "../parts/form-values.ts";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { useSession } from "../state/session.ts";

interface CreateFormProps {
  /** The user on show; empty for all users. */
  readonly userId: string;
  onCreated(): void;
}

/** Creates a notification for a user. */
export function CreateForm({ userId, onCreated }: CreateFormProps) {
  const { types } = useSession();
  const action = useAction();
  const form = useRef<HTMLFormElement>(null);
  useFormValues(form, { user: userId });
  const create = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = (name: string) => String(new FormData(event.currentTarget).get(name) ?? "");
    const [title, type] = [field("title"), field("type")];
    const body = { userId: field("user").trim(), message: field("message"), ...(title && { title }), ...(type && { type }) };
    void action.run(async () => {
      await post("notifications", body);
      onCreated();
      announce(`Notification created for ${body.userId}.`);
      clear(form.current, { title, message: body.message });
    });
  };
  return (
    <section class="card" aria-labelledby="create-title">
      <h2 id="create-title">New notification</h2>
      <form ref={form} class="stack" onSubmit={create}>
        <TextField label="To user" name="user" value={userId} placeholder="user_123" isRequired maxLength={255} />
        <TextField label="Title (optional)" name="title" maxLength={1000} />
        <TextArea label="Message" name="message" placeholder="Your order has been shipped!" isRequired />
        <TextField label="Type (optional)" name="type" placeholder="notification" maxLength={255} list="types" />
        <Proposals id="types" values={types.map(({ name }) => name)} />
        <FailureNote failure={action.failure} what="The notification was not created." />
        <Button type="submit" kind="primary" isBusy={action.isBusy}>
          Create
        </Button>
      </form>
    </section>
  );
}

/**
 * Empties the fields that were sent, for the next message to the same user. Text typed meanwhile stays. If the focus is
 * on the button that sent the message, it moves to the message field.
 */
function clear(form: HTMLFormElement | null, sent: Readonly<Record<"title" | "message", string>>): void {
  for (const [name, text] of Object.entries(sent)) {
    const field = fieldOf(form, name);
    if (field?.value === text) {
      field.value = "";
    }
  }
  const { activeElement } = document;
  if (activeElement === document.body || (activeElement instanceof HTMLButtonElement && activeElement.form === form)) {
    fieldOf(form, "message")?.focus();
  }
}
