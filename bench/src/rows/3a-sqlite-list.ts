import type { Row } from "../harness/row.ts";
import { COLD, compareSqliteLists, WARM } from "../settings/sqlite-lists.ts";

export const row: Row = {
  id: "3a",
  what: "SQLite list of 20, random users",
  cases: [
    { name: "cold", goals: [{ ratio: "rate", against: "raw", atLeast: 1 }], open: (scale) => compareSqliteLists(COLD, scale) },
    { name: "warm", goals: [{ ratio: "rate", against: "usual", atLeast: 1.6 }], open: (scale) => compareSqliteLists(WARM, scale) },
  ],
};
