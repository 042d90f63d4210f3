import type { TargetedEvent } from "preact";
import { Button, TextField } from "../parts/fields.tsx";

interface UserFormProps {
  /** Empty for all users. */
  readonly userId: string;
  onShow(userId: string): void;
}

/** Chooses whose inbox is shown. */
export function UserForm({ userId, onShow }: UserFormProps) {
  const show = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    onShow(String(new FormData(event.currentTarget).get("user") ?? "").trim());
  };
  return (
    <form class="inline-form" onSubmit={show}>
      <TextField label="User" name="user" value={userId} placeholder="All users" maxLength={255} />
      <Button type="submit">Show</Button>
      {userId === "" ? null : (
        <Button kind="quiet" onPress={() => onShow("")}>
          All users
        </Button>
      )}
    </form>
  );
}
