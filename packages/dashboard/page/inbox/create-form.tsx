import type { TargetedEvent } from "preact";
import { useRef } from "preact/hooks";
import { Button, Proposals, TextArea, TextField } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { post } from "../state/api.ts";
import { useSession } from "../state/session.ts";

interface CreateFormProps {
  /** Whose inbox is shown; empty for all. */
  readonly userId: string;
  onCreated(): void;
}

/** Creates a notification for a user. */
export function CreateForm({ userId, onCreated }: CreateFormProps) {
  const { types } = useSession();
  const action = useAction();
  const form = useRef<HTMLFormElement>(null);
  const create = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const field = (name: string) => String(new FormData(event.currentTarget).get(name) ?? "");
    const [title, type] = [field("title"), field("type")];
    const body = { userId: field("user").trim(), message: field("message"), ...(title && { title }), ...(type && { type }) };
    void action.run(async () => {
      await post("notifications", body);
      onCreated();
      announce(`Notification created for ${body.userId}.`);
      clear(form.current);
    });
  };
  return (
    <section class="card" aria-labelledby="create-title">
      <h2 id="create-title">New notification</h2>
      <form ref={form} class="stack" onSubmit={create}>
        <TextField key={userId} label="To user" name="user" value={userId} placeholder="user_123" isRequired maxLength={255} />
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

/** Empties the message and its title, for the next one to the same user, and goes on from there. */
function clear(form: HTMLFormElement | null): void {
  for (const name of ["title", "message"]) {
    const field = form?.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) {
      field.value = "";
    }
  }
  const message = form?.elements.namedItem("message");
  if (message instanceof HTMLTextAreaElement) {
    message.focus();
  }
}
