import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresCounts } from "../settings/postgres-state.ts";
import { compareSqliteCounts } from "../settings/sqlite-state.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "one row by key", atLeast: 0.9 }];
/** What it costs to look whether a broadcast has to be placed, where there is none: the same statement without that look. */
const look: RatioGoal = { ratio: "rate", of: "one row and the look", against: "one row by key", atLeast: 0.95 };

export const row: Row = {
  id: "3b",
  what: "Unread count",
  cases: [
    { name: "SQLite", goals: [...goals, look], open: compareSqliteCounts },
    { name: "PostgreSQL", goals, open: comparePostgresCounts },
  ],
};
