import type { TargetedEvent } from "preact";
import { useRef } from "preact/hooks";
import { Button, TextField } from "../parts/fields.tsx";
import { fieldOf, useFormValues } from "../parts/form-values.ts";

interface UserFormProps {
  /** Empty for all users. */
  readonly userId: string;
  onShow(userId: string): void;
}

/** Chooses whose inbox is shown. */
export function UserForm({ userId, onShow }: UserFormProps) {
  const form = useRef<HTMLFormElement>(null);
  useFormValues(form, { user: userId });
  const show = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onShow(String(new FormData(event.currentTarget).get("user") ?? "").trim());
  };
  const showAll = () => {
    // The button disappears; the focus moves to the field that does the same.
    fieldOf(form.current, "user")?.focus();
    onShow("");
  };
  return (
    <form ref={form} class="inline-form" onSubmit={show}>
      <TextField label="User" name="user" value={userId} placeholder="All users" maxLength={255} />
      <Button type="submit">Show</Button>
      {userId === "" ? null : (
        <Button kind="quiet" onPress={showAll}>
          All users
        </Button>
      )}
    </form>
  );
}
