import type { ChannelInfo, Pause } from "@belfry/core";
import type { TargetedEvent } from "preact";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button, SelectField, TextField } from "../parts/fields.tsx";
import { givenTexts } from "../parts/form-values.ts";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { useResource } from "../state/resource.ts";
import { placeWords } from "./pause-words.ts";

interface PauseDialogProps {
  onClose(): void;
  onDone(): void;
}

/** Pauses a channel, an endpoint or everything. */
export function PauseDialog({ onClose, onDone }: PauseDialogProps) {
  const action = useAction();
  const channels = useResource("channels", (signal) => get<{ channels: Json<ChannelInfo>[] }>("channels", {}, signal));
  // The inbox is in the host's own database, and is never paused.
  const names = (channels.value?.channels ?? []).map(({ name }) => name).filter((name) => name !== "inbox");
  const pause = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const body = givenTexts(new FormData(event.currentTarget), ["channel", "recipient", "detail"]);
    void action.run(async () => {
      const paused = await post<Json<Pause>>("pauses", body);
      announce(`Paused: ${placeWords(paused)}.`);
      onClose();
      onDone();
    });
  };
  return (
    <Dialog title="Pause" onClose={onClose}>
      <form class="stack" onSubmit={pause}>
        <SelectField
          label="Channel"
          name="channel"
          value=""
          options={[["", "every channel"], ...names.map((name) => [name, name] as const)]}
        />
        <TextField
          label="Recipient (optional)"
          name="recipient"
          maxLength={4096}
          hint="As it was sent to: a user, an address, a URL. Without one, the whole channel is paused."
        />
        <TextField label="Detail (optional)" name="detail" placeholder="Their server moves tonight." maxLength={1000} />
        <p class="muted">What is paused waits, and nothing of it is lost. Inboxes go on.</p>
        <FailureNote failure={channels.failure} what="The channels were not loaded." />
        <FailureNote failure={action.failure} what="It was not paused." />
        <div class="dialog-actions">
          <Button type="submit" kind="danger" isBusy={action.isBusy}>
            Pause
          </Button>
          <Button onPress={onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
