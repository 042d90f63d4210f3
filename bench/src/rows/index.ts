import type { BenchRow } from "../measure.ts";
import { postgresClaim } from "./postgres-claim.ts";
import { postgresCreateOne, postgresCreateTogether } from "./postgres-create.ts";
import { postgresListSizes } from "./postgres-list.ts";
import { sqliteClaim } from "./sqlite-claim.ts";
import { sqliteCreateOne, sqliteCreateTogether } from "./sqlite-create.ts";
import { sqliteCounts, sqliteList, sqliteMarkAll } from "./sqlite-read.ts";

/** Every row that is measured, in the order of the goals' table. */
export const ROWS: readonly BenchRow[] = [
  sqliteCreateOne,
  sqliteCreateTogether,
  postgresCreateOne,
  postgresCreateTogether,
  sqliteList,
  sqliteCounts,
  postgresListSizes,
  sqliteMarkAll,
  postgresClaim,
  sqliteClaim,
];
