/**
 * A host that pushes what is due. With `DIES_AFTER`, it is killed once so many pushes were answered: by then the providers have them, and the
 * host knows of none.
 */
import { type PushOptions, push } from "@belfry/channel-push";
import { type Channel, NotificationService } from "@belfry/core";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", PUSH_OPTIONS = "{}", DIES_AFTER } = process.env;
const LEASE_MS = 3_000;

let answered = 0;

function dying(channel: Channel): Channel {
  return {
    ...channel,
    async deliver(task, signal) {
      await channel.deliver(task, signal);
      answered += 1;
      if (answered === Number(DIES_AFTER)) {
        process.kill(process.pid, "SIGKILL");
      }
      return new Promise(() => {});
    },
  };
}

const channel = push(JSON.parse(PUSH_OPTIONS) as PushOptions);
const notifications = new NotificationService({
  storage: storageAt(DATABASE_URL),
  channels: [DIES_AFTER === undefined ? channel : dying(channel)],
  delivery: { leaseMs: LEASE_MS },
});
process.on("disconnect", () => {
  void notifications.stop();
});
await notifications.start();
