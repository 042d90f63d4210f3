import { expect, test } from "vitest";
import type { ActivityStorage, FailingDelivery } from "./activity-storage.ts";
import { failingTogether } from "./failing-together.ts";

const FROM = new Date("2030-01-01T00:00:00Z");
const PENDING = { reason: null, provider: "test", error: "away", firstAt: FROM, lastAt: FROM } as const;

/** A storage with these deliveries, the newest first, and how many of them it was asked for. */
function storageOf(deliveries: readonly Pick<FailingDelivery, "channel" | "recipient" | "attempts">[]) {
  const found = deliveries.map((one, index): FailingDelivery => {
    const number = deliveries.length - index;
    return { ...PENDING, ...one, id: `${number}`, notificationId: `${number}`, place: [number, number] };
  });
  const read = { rows: 0 };
  const failing: ActivityStorage["failing"] = async (_, { after, limit }) => {
    const page = found.filter(({ place: [number] }) => after === null || number < after[0]).slice(0, limit);
    read.rows += page.length;
    return page;
  };
  return { activity: { failing }, read };
}

const ofOne = (count: number) =>
  Array.from({ length: count }, () => ({ channel: "webhook", recipient: "https://dead.example", attempts: 1 }));
const mails = ["ann", "bob", "carl"].map((recipient) => ({ channel: "email", recipient, attempts: 1 }));

test("a channel that fails is found behind however many newer deliveries over another one", async () => {
  const { activity } = storageOf([...ofOne(1_200), ...mails]);
  const channels = ["email", "webhook"];
  expect(await failingTogether(activity, { tenant: "acme", channels, from: FROM })).toEqual(new Set(["email"]));
  const later = new Date(FROM.getTime() + 1);
  expect(await failingTogether(activity, { tenant: "acme", channels, from: later })).toEqual(new Set());
});

test("no more is read than says it, and at most the newest 10,000", async () => {
  const { activity, read } = storageOf([...mails, ...ofOne(10_500)]);
  expect(await failingTogether(activity, { tenant: "acme", channels: ["email"], from: FROM })).toEqual(new Set(["email"]));
  expect(read.rows).toBe(500);
  await failingTogether(activity, { tenant: "acme", channels: ["webhook"], from: FROM });
  expect(read.rows).toBe(10_500);
});
