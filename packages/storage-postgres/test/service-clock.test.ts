import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { postgresStorage } from "../src/index.ts";
import { silent, useDatabase } from "./setup.ts";

const HOUR_MS = 3_600_000;

const database = useDatabase();

test("the database's time decides whether a scheduled send is due, not that of a service whose clock is an hour ahead", async () => {
  const clock = { now: () => Date.now() + HOUR_MS, after: () => () => {} };
  const notifications = new NotificationService({ storage: postgresStorage(database.url, { logger: silent }), clock, logger: silent });
  const { notification: past } = await notifications.create({ to: "ann", message: "past", scheduledAt: new Date(Date.now() - HOUR_MS) });
  const { notification: future } = await notifications.create({
    to: "ann",
    message: "future",
    scheduledAt: new Date(Date.now() + HOUR_MS / 2),
  });
  await notifications.runDue();
  const { items } = await notifications.inbox("ann").list();
  expect(items.map(({ message }) => message)).toEqual(["past"]);
  const {
    deliveries: [delivery],
  } = await notifications.deliveries(past.id);
  expect(delivery?.status).toBe("sent");
  expect(delivery?.settledAt?.getTime()).toBeLessThan(Date.now() + HOUR_MS / 2);
  expect((await notifications.get(future.id)).status).toBe("pending");
  await notifications.stop();
});
