import type { BenchRow } from "../measure.ts";
import { httpListExpress, httpListHono } from "./http-list.ts";
import { postgresClaim } from "./postgres-claim.ts";
import { postgresCreateOne, postgresCreateTogether } from "./postgres-create.ts";
import { postgresListSizes } from "./postgres-list.ts";
import { socketsBurst, socketsOne } from "./sockets.ts";
import { sqliteClaim } from "./sqlite-claim.ts";
import { sqliteCreateOne, sqliteCreateTogether } from "./sqlite-create.ts";
import { sqliteDeepPage } from "./sqlite-deep-page.ts";
import { sqliteCounts, sqliteList, sqliteMarkAll } from "./sqlite-read.ts";

/** Every row that is measured, in the order of the goals' table. */
export const ROWS: readonly BenchRow[] = [
  sqliteCreateOne,
  sqliteCreateTogether,
  postgresCreateOne,
  postgresCreateTogether,
  sqliteList,
  sqliteCounts,
  sqliteDeepPage,
  postgresListSizes,
  sqliteMarkAll,
  httpListHono,
  httpListExpress,
  socketsOne,
  socketsBurst,
  postgresClaim,
  sqliteClaim,
];
