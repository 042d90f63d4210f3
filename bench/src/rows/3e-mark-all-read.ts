import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresMarks } from "../settings/postgres-state.ts";
import { compareSqliteMarks } from "../settings/sqlite-state.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", of: "mark-all-read", against: "one mark-read", atLeast: 1 / 1.2 }];

export const row: Row = {
  id: "3e",
  what: "Mark-all-read of 100,000 unread, beside one mark-read",
  cases: [
    { name: "SQLite", goals, open: compareSqliteMarks },
    { name: "PostgreSQL", goals, open: comparePostgresMarks },
  ],
};
