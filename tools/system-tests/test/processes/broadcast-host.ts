/**
 * A host that pages its users for broadcasts, delivers to them, and follows some of their inboxes, until it is killed. It first writes each
 * step into a ledger, a line at a time: a written line outlives the process.
 */
import { openSync, writeSync } from "node:fs";
import { BelfryError, type Channel, NotificationService } from "@belfry/core";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", LEDGER = "", USERS = "0", FOLLOWED = "0", DIES_AT = "" } = process.env;
const PAGE = 50;
const users = Array.from({ length: Number(USERS) }, (_, index) => `user ${index}`);

const ledger = openSync(LEDGER, "a");

function note(...words: readonly string[]): void {
  writeSync(ledger, `${words.join(" ")}\n`);
}

const channel: Channel = {
  name: "ledger",
  timeoutMs: 5_000,
  retryDelaysMs: [10, 10, 10, 10, 10, 10],
  invalidRecipient: (recipient) => (recipient.startsWith("to:") ? null : "is no address"),
  async deliver({ recipient, id }) {
    note("sent", recipient.replace(" ", "_"), id);
    return { status: "sent", provider: "ledger" };
  },
};

const directory = Object.assign((ids: readonly string[]) => new Map(ids.map((id) => [id, { ledger: `to:${id}` }])), {
  async everyone(cursor: string | null) {
    note("page", cursor ?? "first");
    if (cursor === DIES_AT) {
      process.kill(process.pid, "SIGKILL");
    }
    const from = Number(cursor ?? 0);
    return { users: users.slice(from, from + PAGE), next: from + PAGE < users.length ? String(from + PAGE) : null };
  },
});

const notifications = new NotificationService({
  ...{ storage: storageAt(DATABASE_URL), channels: [channel], directory },
  delivery: { leaseMs: 3_000, concurrency: 10 },
  hub: { worker: false },
});
process.on("disconnect", () => {
  void notifications.stop();
});
try {
  await notifications.start();
  const follower = { onEvent() {}, onState() {} };
  await Promise.all(users.slice(0, Number(FOLLOWED)).map((user) => notifications.inbox(user).subscribe(follower).ready));
} catch (error) {
  // The parent ended it before it had started.
  if (!(error instanceof BelfryError && error.code === "SERVICE_STOPPED")) {
    throw error;
  }
}
