import type { ChannelInfo, Send } from "@belfry/core";
import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button, SelectField, TextArea, TextField } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { go, placeUrl } from "../state/place.ts";
import { useResource } from "../state/resource.ts";

const INBOX: Json<ChannelInfo> = { name: "inbox", takes: "users", devices: [], hasPreview: false, isConfigured: true };

/** Sends a test over one of the service's channels, and shows its timeline. */
export function SendTestDialog({ onClose }: { onClose(): void }) {
  const action = useAction();
  const channels = useResource("channels", (signal) => get<{ channels: Json<ChannelInfo>[] }>("channels", {}, signal));
  const known = channels.value?.channels ?? [INBOX];
  const [name, choose] = useState(INBOX.name);
  const send = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (member: string) => String(fields.get(member) ?? "");
    const body = { channel: field("channel"), to: field("to").trim(), title: field("title"), message: field("message") };
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
        <SelectField label="Channel" name="channel" value={name} options={known.map(choiceOf)} onChoose={choose} />
        <TextField label="Recipient" name="to" isRequired hint={hintOf(known.find((channel) => channel.name === name) ?? INBOX)} />
        <TextField label="Title" name="title" value="Test" maxLength={1000} />
        <TextArea label="Message" name="message" value="This is a test." isRequired />
        <FailureNote failure={channels.failure} what="The channels were not loaded." />
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

function choiceOf({ name, isConfigured }: Json<ChannelInfo>): readonly [value: string, text: string] {
  return [name, isConfigured ? name : `${name} (not set up)`];
}

/** Says whom a test over a channel may name. */
function hintOf({ name, takes, devices }: Json<ChannelInfo>): string {
  const users = "The id of a user";
  if (name === INBOX.name || devices.length > 0) {
    return `${users}.${devices.length > 0 && takes !== null ? ` ${name} takes ${takes}.` : ""}`;
  }
  return takes === null ? `${users}, or an address.` : `${name} takes ${takes}. ${users} stands for the address in your directory.`;
}
