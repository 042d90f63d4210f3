import type { EveryColumnMade } from "@belfry/storage-sql";
import { assertType, test } from "vitest";
import type * as schema from "../schema.ts";
import type { MIGRATIONS } from "./index.ts";

test("the migrations make every column of the schema; their own table is made before them", () => {
  assertType<EveryColumnMade<Omit<typeof schema, "migrations">, typeof MIGRATIONS>>(true);
});
