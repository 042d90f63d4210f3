/**
 * A host that creates one notification for very many users when it is asked to, and writes and delivers what is left of earlier ones, until
 * it is killed. It writes each mail into a ledger first, a line at a time: a written line outlives the process.
 */
import { openSync, writeSync } from "node:fs";
import { type Channel, NotificationService, type UntypedCreateInput, type UntypedTopicInput } from "@belfry/core";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", LEDGER = "" } = process.env;
const RETRY_DELAYS_MS = Array.from({ length: 10 }, () => 10);
const CONCURRENCY = 20;
const LEASE_MS = 3_000;

const ledger = openSync(LEDGER, "a");

function note(...words: readonly string[]): void {
  writeSync(ledger, `${words.join(" ")}\n`);
}

const email: Channel = {
  name: "email",
  retryDelaysMs: RETRY_DELAYS_MS,
  timeoutMs: 2_000,
  invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
  async deliver({ id, address }) {
    note("begin", id, address);
    await new Promise((resolve) => setImmediate(resolve));
    note("mail", id, address);
    return { status: "delivered", provider: "email" };
  },
};

const notifications = new NotificationService({
  storage: storageAt(DATABASE_URL),
  channels: [email],
  directory: (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }])),
  delivery: { leaseMs: LEASE_MS, concurrency: CONCURRENCY },
});
notifications.on("delivery.delivered", ({ delivery }) => note("settled", delivery.id, delivery.recipient));
process.on("disconnect", () => {
  void notifications.stop();
});
process.on("message", (input: UntypedCreateInput | UntypedTopicInput) => {
  void notifications.create(input as UntypedCreateInput).then(({ notification }) => process.send?.(notification.id));
});
await notifications.start();
process.send?.("started");
