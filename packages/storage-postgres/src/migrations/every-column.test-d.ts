import type { EveryColumnMade } from "@belfry/storage-sql";
import { assertType, test } from "vitest";
import type { tables } from "../schema/tables.ts";
import type * as schema from "../schema.ts";
import type { MIGRATIONS } from "./index.ts";

test("the migrations make every column of the schema; their own table is made before them", () => {
  assertType<EveryColumnMade<Omit<typeof tables, "migrations">, typeof MIGRATIONS>>(true);
});

test("hosts get every table from the schema", () => {
  assertType<Record<Exclude<keyof typeof tables, keyof typeof schema>, never>>({});
});
