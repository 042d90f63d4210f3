import type { Notification } from "@belfry/core";
import { isUsual, nullableOf } from "@belfry/storage-sql";
import { expect, test } from "vitest";
import { DIALECT } from "../src/database/sql.ts";

const FIELDS = nullableOf<Notification>(DIALECT.schema.notifications);
const NONE = Object.fromEntries(FIELDS.map((field) => [field, null])) as unknown as Notification;

test("a notification without fields that may be null is a usual one", () => {
  expect(isUsual(NONE)).toBe(true);
});

test.each(FIELDS)("one with %s is none", (field) => {
  expect(isUsual({ ...NONE, [field]: 1 })).toBe(false);
});
