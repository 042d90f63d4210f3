import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresDepth } from "../settings/postgres-state.ts";
import { compareSqliteDepth } from "../settings/sqlite-state.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", of: "deep page", against: "first page", atLeast: 0.95 }];

export const row: Row = {
  id: "3c",
  what: "Page behind 50,000 items by its cursor, beside the first page",
  cases: [
    { name: "SQLite", goals, open: compareSqliteDepth },
    { name: "PostgreSQL", goals, open: comparePostgresDepth },
  ],
};
