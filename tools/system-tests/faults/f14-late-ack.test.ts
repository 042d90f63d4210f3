import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";

const COUNT = scaled(60, 2_000);
const USERS = 5;
const DELAY_MS = 1_000;
/** An acknowledgement comes this much before or after the fallback's time. */
const SPREAD_MS = 50;

describe.each(databasesOf(14))("F14 %s: users acknowledge in the very moment in which a mail is to stand in", (kind) => {
  const cleanup = useCleanup();

  test("either the mail goes or it is cancelled, and every outcome says the truth", async () => {
    const meta = { fallback_delay: DELAY_MS / 1_000 };
    const one = await arena({ fault: "F14", kind, users: USERS, meta, victim: { directory: true } }, cleanup);
    await one.start();
    await one.follow();
    const acknowledging: Promise<void>[] = [];
    for (const follower of one.followers) {
      follower.listen(({ payload }) => {
        const afterMs = DELAY_MS - SPREAD_MS + one.random.below(2 * SPREAD_MS);
        acknowledging.push(
          new Promise((resolve) => {
            setTimeout(() => {
              follower.acknowledge(String(payload.id));
              resolve();
            }, afterMs);
          }),
        );
      });
    }
    await one.creates.run(one.jobs(COUNT, ["fallback"]), 16);
    await expect.poll(() => acknowledging.length, { timeout: 60_000 }).toBe(COUNT);
    await Promise.all(acknowledging);
    const statuses = async () =>
      (await one.database.deliveries()).filter(({ channel, status }) => channel === "inbox" && status !== "delivered");
    await expect.poll(statuses, { timeout: 60_000, interval: 200 }).toEqual([]);
    const isLegal = ({ channel, status }: { readonly channel: string; readonly status: string }) =>
      channel === "inbox" ? status === "delivered" : status === "sent" || status === "cancelled";
    const verdict = await one.expectSound(isLegal);
    const mails = (await one.database.deliveries()).filter(({ channel }) => channel === "email");
    const received = new Set(one.ledger.lines().flatMap((line) => (line.what === "receipt" ? [line.delivery] : [])));
    expect(mails).toHaveLength(COUNT);
    expect(mails.filter(({ status, delivery }) => (status === "sent") !== received.has(delivery))).toEqual([]);
    expect(verdict.duplicates).toBe(0);
    const sent = mails.filter(({ status }) => status === "sent").length;
    one.note(verdict, { "mails sent": sent, "mails cancelled": COUNT - sent });
  });
});
