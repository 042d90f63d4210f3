import type { ClaimedRow } from "@belfry/storage-sql";
import { expect, test } from "vitest";
import { ClaimedKeys } from "./claimed-keys.ts";

const row = (pk: number) => [pk, -pk, true, `id ${pk}`] as unknown as ClaimedRow;

test("keys are remembered until they are taken, and the oldest of very many are forgotten", () => {
  const keys = new ClaimedKeys();
  keys.note([row(1), row(2)]);
  expect([keys.take("id 1"), keys.take("id 1"), keys.take("id 3")]).toEqual([[1, -1], null, null]);
  keys.note(Array.from({ length: 8_192 }, (_, index) => row(10 + index)));
  expect([keys.take("id 2"), keys.take("id 10")]).toEqual([null, [10, -10]]);
});
