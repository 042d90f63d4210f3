import { type Channel, type Directory, NotificationService } from "@belfry/core";
import { testClock } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const sms = (options: Partial<Channel> = {}): Channel => ({
  name: "sms",
  retryDelaysMs: [60_000],
  timeoutMs: 5_000,
  invalidRecipient: (recipient) => (recipient.trim().startsWith("+") ? null : "is no number"),
  deliver: async () => ({ status: "sent", provider: "sms" }),
  ...options,
});

onEveryStorage((database) => {
  describe("the host's directory", () => {
    /** Sends to users, lets `clock` pass until all that can be done now is done, and answers status and errors of each delivery. */
    async function outcomes(directory: Directory, channel = sms(), to = ["ann"]): Promise<unknown[]> {
      const clock = testClock();
      const options = { storage: database.storage(), channels: [channel], directory, clock, logger: silent, delivery: { concurrency: 4 } };
      const notifications = stopsAfterTest(new NotificationService(options));
      const {
        notification: { id },
      } = await notifications.create({ channels: ["sms"], to, message: "Hello" });
      const deliveries = async () => (await notifications.deliveries(id)).deliveries;
      const isOver = async () => (await deliveries()).every(({ status, attempts }) => attempts.length > 0 || status === "skipped");
      expect(await clock.until(isOver)).toBe(true);
      return (await deliveries()).map(({ status, attempts }) => [
        status,
        ...attempts.map(({ error, isTransient }) => [error, isTransient]),
      ]);
    }

    test("that never answers fails the attempt after its time, and others are delivered", async () => {
      const never = () => new Promise<never>(() => {});
      expect(await outcomes(never, sms(), ["ann", "bob", "carl", "dora", "+1"])).toEqual([
        ...Array(4).fill(["pending", ["The host's directory gave no answer within 5000 ms.", true]]),
        ["sent", [null, false]],
      ]);
    });

    test.each<[string, unknown, string]>([
      ["a number", 4_912, "The host's directory gave a value of the type number as the sms address of this user; expected a text."],
      ["no address", "4912", "The sms address that the host's directory gave is no number."],
    ])("that gives %s fails the delivery at once, with what was wrong", async (_, address, error) => {
      const directory = (() => new Map([["ann", { sms: address }]])) as unknown as Directory;
      expect(await outcomes(directory)).toEqual([["failed", [error, false]]]);
    });

    test("and callers are told what a channel takes, where an address is wrong", async () => {
      const channel = sms({ takes: "numbers with their country code, such as +4930123456" });
      const takes = "sms takes numbers with their country code, such as +4930123456";
      const given = `The sms address that the host's directory gave is no number; ${takes}.`;
      expect(await outcomes(() => new Map([["ann", { sms: "4912" }]]), channel)).toEqual([["failed", [given, false]]]);
      const notifications = stopsAfterTest(
        new NotificationService({ storage: database.storage(), channels: [channel, { ...channel, name: "push", devices: ["fcm"] }] }),
      );
      await expect(notifications.create({ to: { sms: "4912" }, title: "x" })).rejects.toMatchObject({
        code: "INVALID_RECIPIENTS",
        message: `One or more recipients are invalid: "4912" is no number; ${takes}.`,
      });
      await expect(notifications.create({ to: "ann", channels: ["sms"], title: "x" })).rejects.toMatchObject({
        message: expect.stringContaining(`has no directory to look this user up in; ${takes}`),
      });
      await expect(notifications.devices.register("ann", { platform: "fcm", token: "t" })).rejects.toMatchObject({
        issues: [{ path: ["token"], message: expect.stringMatching(/^is no number; push takes numbers/) }],
      });
    });

    test("that gives nothing skips the delivery, without an attempt", async () => {
      expect(await outcomes(() => new Map())).toEqual([["skipped"]]);
    });

    test("gives tasks the user's language; without one, and for addresses, it is the service's", async () => {
      const spoken: string[] = [];
      const channel = sms({
        async deliver({ address, locale }) {
          spoken.push(`${address} ${locale}`);
          return { status: "sent", provider: "sms" };
        },
      });
      const contacts = { ann: { sms: "+1", locale: "de-AT" }, bob: { sms: "+2" }, carl: { sms: "+3", locale: "de_AT" } };
      const directory = () => new Map(Object.entries(contacts));
      const notifications = stopsAfterTest(
        new NotificationService({ storage: database.storage(), channels: [channel], directory, locale: "fr", logger: silent }),
      );
      await notifications.create({ channels: ["sms"], to: [...Object.keys(contacts), { sms: "+4" }], message: "Hello" });
      await notifications.runDue();
      expect(spoken.toSorted()).toEqual(["+1 de-AT", "+2 fr", "+3 fr", "+4 fr"]);
    });

    test("that answers no Map fails the delivery at once", async () => {
      const directory = (() => ({ ann: { sms: "+1" } })) as unknown as Directory;
      const error = "The host's directory failed: it answered a value of the type object; expected a Map of user ids to contacts.";
      expect(await outcomes(directory)).toEqual([["failed", [error, false]]]);
    });

    test("a channel whose check throws once a delivery is made fails it at once", async () => {
      let isAccepted = false;
      const invalidRecipient = () => {
        if (isAccepted) {
          throw new Error("the list of prefixes is gone");
        }
        isAccepted = true;
        return null;
      };
      const error = "The channel sms could not check an address, its invalidRecipient() threw: the list of prefixes is gone";
      expect(await outcomes(() => new Map(), sms({ invalidRecipient }))).toEqual([["failed", [error, false]]]);
    });
  });
});
