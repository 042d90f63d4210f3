import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";
import type { MailAnswer } from "./parts/sinks.ts";

/** A kind of trouble that a mail server makes at a mail's first attempt, and what has to become of the mail. */
interface Trouble {
  readonly first: MailAnswer;
  readonly attempts: readonly string[];
  readonly receipts: number;
}

const RETRIED = ["failed", "sent"];
const TROUBLES: readonly Trouble[] = [
  { first: "take", attempts: ["sent"], receipts: 1 },
  { first: 421, attempts: RETRIED, receipts: 1 },
  { first: 450, attempts: RETRIED, receipts: 1 },
  { first: 550, attempts: ["failed"], receipts: 0 },
  { first: "drop before", attempts: RETRIED, receipts: 1 },
  // The only way to get a mail twice: the server has it, and could not say so.
  { first: "drop instead", attempts: RETRIED, receipts: 2 },
  { first: "drop after", attempts: ["sent"], receipts: 1 },
  { first: "hang", attempts: RETRIED, receipts: 1 },
];
const ROUNDS = scaled(2, 12);
/** Only an attempt at a server that hangs may run out of time, however busy the machine, since each of another mail is counted. They hang together. */
const LIMITS = { attemptMs: 15_000, leaseMs: 31_000 };
const numberOf = (text: string) => Number(/-(\d+)(?:@|$)/.exec(text)?.[1]);
const troubleOf = (text: string) => TROUBLES[numberOf(text) % TROUBLES.length] as Trouble;

describe.each(databasesOf(9))("F9 %s: the mail server refuses, drops connections and hangs", (kind) => {
  const cleanup = useCleanup();

  test("each kind of trouble has its exact end, and only a lost answer makes a mail come twice", async () => {
    const mail = (recipient: string, count: number) => (count === 1 ? troubleOf(recipient).first : "take");
    const one = await arena({ fault: "F9", kind, mail, victim: LIMITS }, cleanup);
    await one.start();
    await one.creates.run(one.jobs(TROUBLES.length * ROUNDS, ["email"]), 8);
    const verdict = await one.expectSound(({ text, status }) => status === (troubleOf(text).first === 550 ? "failed" : "sent"));
    const attempts = Map.groupBy(await one.database.attempts(), ({ delivery }) => delivery);
    const receipts = Map.groupBy(
      one.ledger.lines().filter((line) => line.what === "receipt"),
      ({ delivery }) => delivery,
    );
    const ends = (await one.database.deliveries()).map(({ text, delivery }) => ({
      text,
      first: troubleOf(text).first,
      attempts: attempts.get(delivery)?.map(({ status }) => status),
      receipts: receipts.get(delivery)?.length ?? 0,
    }));
    expect(ends).toEqual(ends.map(({ text }) => ({ text, ...troubleOf(text) })));
    expect(verdict.duplicates).toBe(ROUNDS);
    one.note(verdict);
  });
});
