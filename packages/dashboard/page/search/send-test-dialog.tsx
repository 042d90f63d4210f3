import type { ChannelHealth, Send } from "@belfry/core";
import type { TargetedEvent } from "preact";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button, Proposals, TextArea, TextField } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { go, placeUrl } from "../state/place.ts";
import { useResource } from "../state/resource.ts";

/** Sends a test over a channel, and shows its timeline. */
export function SendTestDialog({ onClose }: { onClose(): void }) {
  const action = useAction();
  const health = useResource("channels", (signal) => get<{ channels: Json<ChannelHealth>[] }>("health", { range: "7d" }, signal));
  const known = new Set(["inbox", ...(health.value?.channels ?? []).map(({ channel }) => channel)]);
  const send = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "");
    const body = { channel: field("channel").trim(), to: field("to").trim(), title: field("title"), message: field("message") };
    void action.run(async () => {
      const { id } = await post<Json<Send>>("sends", body);
      announce("Test sent.");
      onClose();
      go(placeUrl("notification", { id }));
    });
  };
  return (
    <Dialog title="Send a test" onClose={onClose}>
      <form class="stack" onSubmit={send}>
        <TextField label="Channel" name="channel" value="inbox" isRequired list="channels" />
        <Proposals id="channels" values={[...known]} />
        <TextField label="Recipient" name="to" placeholder="A user, an address or a URL, as the channel has it" isRequired />
        <TextField label="Title" name="title" value="Test" maxLength={1000} />
        <TextArea label="Message" name="message" value="This is a test." isRequired />
        <FailureNote failure={action.failure} what="The test was not sent." />
        <div class="dialog-actions">
          <Button type="submit" kind="primary" isBusy={action.isBusy}>
            Send
          </Button>
          <Button onPress={onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}
