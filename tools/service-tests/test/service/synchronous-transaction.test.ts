import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { refusal } from "../refusal.ts";
import { useSqliteDatabase } from "../sqlite-database.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const database = useSqliteDatabase();

test("a transaction of a synchronous storage is refused by create and send, which name what to call instead", async () => {
  const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
  let tx: unknown;
  await database.transaction((handle) => {
    tx = handle;
  });
  // As from JavaScript.
  const options = { tx } as object;
  const create = await refusal(notifications.create({ to: "ann" }, options));
  const send = await refusal(notifications.tenant("acme").send({ to: "ann" }, options));
  expect([create.code, send.code]).toEqual(["WRONG_TRANSACTION", "WRONG_TRANSACTION"]);
  expect([create.message, send.message]).toEqual([
    expect.stringContaining("Await prepare() before the transaction, and call write() inside it."),
    expect.stringContaining("Await prepareSend() before the transaction, and call write() inside it."),
  ]);
  expect(await notifications.inbox("ann").counts()).toMatchObject({ total: 0 });
});
