import type { ChannelInfo, Suppression } from "@belfry/core";
import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import type { Json } from "../../src/wire.ts";
import { Dialog } from "../parts/dialog.tsx";
import { Button, SelectField, TextField } from "../parts/fields.tsx";
import { FailureNote } from "../parts/states.tsx";
import { useAction } from "../state/action.ts";
import { announce } from "../state/announcements.ts";
import { get, post } from "../state/api.ts";
import { useResource } from "../state/resource.ts";

interface SuppressDialogProps {
  onClose(): void;
  onDone(): void;
}

/** Suppresses an address over one of the service's channels. */
export function SuppressDialog({ onClose, onDone }: SuppressDialogProps) {
  const action = useAction();
  const channels = useResource("channels", (signal) => get<{ channels: Json<ChannelInfo>[] }>("channels", {}, signal));
  // The inbox takes users, who have no address there.
  const known = (channels.value?.channels ?? []).filter(({ name }) => name !== "inbox");
  const [chosen, choose] = useState<string | null>(null);
  const channel = known.find(({ name }) => name === chosen) ?? known[0];
  const suppress = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (member: string) => String(fields.get(member) ?? "").trim();
    const detail = field("detail");
    const body = { channel: field("channel"), address: field("address"), ...(detail && { detail }) };
    void action.run(async () => {
      const { address } = await post<Json<Suppression>>("suppressions", body);
      announce(`${address} is suppressed.`);
      onClose();
      onDone();
    });
  };
  return (
    <Dialog title="Suppress an address" onClose={onClose}>
      <form class="stack" onSubmit={suppress}>
        <SelectField
          label="Channel"
          name="channel"
          value={channel?.name ?? ""}
          options={known.map(({ name }) => [name, name])}
          onChoose={choose}
        />
        <TextField label="Address" name="address" isRequired maxLength={500} hint={hintOf(channel)} />
        <TextField label="Detail (optional)" name="detail" placeholder="Asked us by phone." maxLength={1000} />
        <FailureNote failure={channels.failure} what="The channels were not loaded." />
        <FailureNote failure={action.failure} what="The address was not suppressed." />
        <div class="dialog-actions">
          <Button type="submit" kind="primary" isBusy={action.isBusy}>
            Suppress
          </Button>
          <Button onPress={onClose}>Close</Button>
        </div>
      </form>
    </Dialog>
  );
}

/** Says what the addresses of a channel are. */
function hintOf(channel: Json<ChannelInfo> | undefined): string {
  const effect = "Nothing is delivered to it until somebody lifts it.";
  return channel === undefined || channel.takes === null ? effect : `${channel.name} takes ${channel.takes}. ${effect}`;
}
