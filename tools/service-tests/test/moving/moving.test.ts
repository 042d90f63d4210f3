import { inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { moveTenant } from "@belfry/storage-postgres";
import { expect, onTestFinished, test } from "vitest";
import { MovingLoad } from "./moving-load.ts";

/** How many creates come before and after it moves, of each user. */
const CREATES = process.env.BELFRY_LONG ? 400 : 15;

test("a tenant moves while it creates, marks, delivers and streams: nothing is lost or doubled, and another tenant notices nothing", {
  timeout: 300_000,
}, async () => {
  const load = await MovingLoad.begin();
  onTestFinished(() => load.close());
  const { old, fresh } = load;
  await load.more(CREATES);
  const handler = createHandler(old.notifications, {
    contracts: [inboxV1()],
    auth: () => ({ kind: "user", userId: "ann", tenant: "acme" }),
  });
  const answers: Response[] = [];
  const moved = await moveTenant({
    ...{ tenant: "acme", from: old.pool, to: fresh.pool },
    async switchOver() {
      await load.isFrozen();
      answers.push(await handler.fetch(new Request("http://localhost/api/v1/notifications/read-all", { method: "POST" })));
      await load.switchOver();
    },
  });
  await load.more(CREATES);
  expect(moved.rows).toBeGreaterThan(0);
  expect([old, fresh].map(({ mails }) => mails.of("later@example.com").length)).toEqual([0, 0]);
  await load.end();
  expect(answers.map(({ status, headers }) => [status, Number(headers.get("retry-after")) > 0])).toEqual([[503, true]]);
});
