import { type Channel, type ChoiceValue, defineTypes, NotificationService } from "@belfry/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({
  comment: { category: "social", channels: { inbox: { optional: true }, email: true, push: { default: "off" } } },
  mention: { category: "social", channels: { inbox: true, email: { default: "off" }, push: true } },
  invoice: { category: "billing", required: ["email"], channels: ["inbox", "email", "push"] },
  alarm: { required: true, channels: { inbox: { optional: true }, email: true } },
});

const channel = (name: string): Channel => ({
  name,
  retryDelaysMs: [],
  timeoutMs: 5_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: name }),
});

/** A choice of a user or of the tenant, or one that is taken back. */
const edits = fc.array(
  fc.record({
    by: fc.constantFrom("user", "tenant", "locked"),
    about: fc.constantFrom({ type: "comment" }, { type: "mention" }, { type: "invoice" }, { category: "social" }, { all: true }),
    over: fc.constantFrom({}, { channel: "inbox" }, { channel: "email" }, { channel: "push" }),
    value: fc.constantFrom<ChoiceValue>("on", "off", "off", "immediate"),
  }),
  { maxLength: 6 },
);

onEveryStorage((database) => {
  test("what a list says of a user's channels is what happens to the next notification", async () => {
    const options = { storage: database.storage(), types, channels: [channel("email"), channel("push")], logger: silent };
    const service = stopsAfterTest(new NotificationService(options));
    let run = 0;
    await fc.assert(
      fc.asyncProperty(edits, async (all) => {
        run += 1;
        const tenant = service.tenant(`tenant ${run}`);
        const { preferences } = tenant;
        for (const { by, about, over, value } of all) {
          const target = { ...about, ...over } as { all: true };
          await (by === "user"
            ? preferences.set("ann", target, value)
            : preferences.defaults.set({ ...target, locked: by === "locked" }, value));
        }
        for (const { type, channels } of (await preferences.list("ann")).types) {
          const { notification } = await tenant.create({ to: "ann", type: type as "comment", title: "Hello", message: "x" });
          const { deliveries } = await tenant.deliveries(notification.id);
          const skipped = deliveries.filter(({ status }) => status === "skipped");
          expect(skipped.map((one) => [type, one.channel, one.reason, one.reasonSource])).toEqual(
            channels.filter(({ value }) => value === "off").map((one) => [type, one.channel, "preference", one.source]),
          );
          const items = (await tenant.inbox("ann").list()).items.filter(({ id }) => id === notification.id);
          expect([type, items.length]).toEqual([type, channels.some((one) => one.channel === "inbox" && one.value !== "off") ? 1 : 0]);
        }
      }),
      { numRuns: 40 },
    );
  });
});
