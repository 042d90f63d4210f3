import type { StoredTicket } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";

/** The promises of keeping tickets for WebSockets. */
export function socketTicketTests(harness: StorageHarness): void {
  describe("socket tickets", () => {
    const fixture = useFixture(harness);
    const tickets = () => fixture.storage.socketTickets;
    const ticket = (name: string, second: number): StoredTicket => ({
      digest: `${fixture.tenant} ${name}`,
      sealed: `sealed ${name}`,
      expiresAt: at(second),
    });

    test("a ticket is taken once, however many ask at once", async () => {
      const one = ticket("once", 30);
      await tickets().add(one, at(0));
      const taken = await Promise.all(Array.from({ length: 8 }, () => tickets().take(one.digest, at(1))));
      expect(taken.filter((sealed) => sealed !== null)).toEqual([one.sealed]);
      expect(await tickets().take(one.digest, at(1))).toBeNull();
      expect(await tickets().take("unknown", at(1))).toBeNull();
    });

    test("a ticket that ran out is not taken, and goes when the next is added", async () => {
      const [early, late] = [ticket("early", 30), ticket("late", 60)];
      await tickets().add(early, at(0));
      expect(await tickets().take(early.digest, at(30))).toBeNull();
      await tickets().add(late, at(30));
      expect(await tickets().take(early.digest, at(1))).toBeNull();
      expect(await tickets().take(late.digest, at(59))).toBe(late.sealed);
    });
  });
}
