import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresCounts } from "../settings/postgres-state.ts";
import { compareSqliteCounts } from "../settings/sqlite-state.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "one row by key", atLeast: 0.9 }];

export const row: Row = {
  id: "3b",
  what: "Unread count",
  cases: [
    { name: "SQLite", goals, open: compareSqliteCounts },
    { name: "PostgreSQL", goals, open: comparePostgresCounts },
  ],
};
