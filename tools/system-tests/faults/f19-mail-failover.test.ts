import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";
import { databasesOf, scaled } from "./parts/run.ts";
import type { MailAnswer } from "./parts/sinks.ts";

const MAILS = scaled(120, 1_200);
/** How many mails a server is offered until it falls into its next trouble. */
const TURN = 10;
const TROUBLES: readonly MailAnswer[] = [421, "take", "drop before", "take", 450, "take"];

/** One server after the other is in trouble, and at times two of them are. */
function answering(number: number): () => MailAnswer {
  let offered = 0;
  return () => TROUBLES[(Math.floor(offered++ / TURN) + number * 2) % TROUBLES.length] ?? "take";
}

describe.each(databasesOf(19))("F19 %s: three mail servers refuse, and drop connections, in turn", (kind) => {
  const cleanup = useCleanup();

  test("every mail arrives once by one of them, and each of them has some", async () => {
    const [mail, ...spareMail] = [0, 1, 2].map(answering);
    // A server that takes a mail and cannot say so in time makes it come twice; here each has time enough.
    const victim = { attemptMs: 30_000, leaseMs: 61_000 };
    const one = await arena({ fault: "F19", kind, ...(mail && { mail }), spareMail, victim }, cleanup);
    await one.start();
    await one.creates.run(one.jobs(MAILS, ["email"]), 16);
    const verdict = await one.expectSound(({ status }) => status === "sent");
    const offered = [one.mail, ...one.spareMail].map((server) => server.offered());
    expect(verdict.duplicates).toBe(0);
    expect(offered.every((count) => count > TURN)).toBe(true);
    one.note(verdict, { offered: offered.join(" + ") });
  });
});
