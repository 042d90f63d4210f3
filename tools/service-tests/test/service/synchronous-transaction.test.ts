import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { refusal } from "../refusal.ts";
import { useSqliteDatabase } from "../sqlite-database.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const database = useSqliteDatabase();

test("a transaction of a synchronous storage is refused by create, which names what to call instead", async () => {
  const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
  let tx: unknown;
  await database.transaction((handle) => {
    tx = handle;
  });
  // As from JavaScript.
  const options = { tx } as object;
  for (const tenant of [notifications, notifications.tenant("acme")]) {
    expect(await refusal(tenant.create({ to: "ann" }, options))).toMatchObject({
      code: "WRONG_TRANSACTION",
      message: expect.stringContaining("Await prepare() before the transaction, and call write() inside it."),
    });
  }
  expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 0 });
});
