/**
 * A host that runs the hub's handlers over the events in its database until it is killed. It first writes each step into a
 * ledger, a line at a time: a written line outlives the process.
 */
import { openSync, writeSync } from "node:fs";
import { BelfryError, NotificationService, type Processor } from "@belfry/core";
import { storageAt } from "../storage-at.ts";

const { DATABASE_URL = "", LEDGER = "", CONCURRENCY = "1", ATTEMPTS = "1" } = process.env;
const RETRY_DELAY_MS = 10;
const WORK_MS = 10;

const ledger = openSync(LEDGER, "a");

function note(...words: readonly (string | number)[]): void {
  writeSync(ledger, `${words.join(" ")}\n`);
}

const processor: Processor = {
  name: "ledger",
  timeoutMs: 1_000,
  concurrency: Number(CONCURRENCY),
  retryDelaysMs: Array.from({ length: Number(ATTEMPTS) - 1 }, () => RETRY_DELAY_MS),
  async process({ recordId, attempt, notification }) {
    note("begin", recordId, attempt);
    if (notification.content === "deadly") {
      process.kill(process.pid, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, WORK_MS));
    return { status: "completed", text: `attempt ${attempt}` };
  },
};

const notifications = new NotificationService({ storage: storageAt(DATABASE_URL), hub: { processor, leaseMs: 3_000 } });
notifications.on("record.completed", ({ record }) => note("settled", record.id, record.attempt));
notifications.on("record.failed", ({ record }) => note("settled", record.id, record.attempt));
process.on("disconnect", () => {
  void notifications.stop();
});
await notifications.start().catch((error: unknown) => {
  // The parent ended it before it had started.
  if (!(error instanceof BelfryError && error.code === "SERVICE_STOPPED")) {
    throw error;
  }
});
