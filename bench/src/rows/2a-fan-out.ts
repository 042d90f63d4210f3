import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresFanOut, compareSqliteFanOut } from "../settings/fan-out.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "raw", atLeast: 0.85 }];

export const row: Row = {
  id: "2a",
  what: "One notification to 100,000 and to 1,000,000 users, in random order",
  cases: [
    { name: "SQLite, 100,000", goals, rounds: 5, open: (scale) => compareSqliteFanOut(100_000, scale) },
    { name: "SQLite, 1,000,000", goals, rounds: 3, open: (scale) => compareSqliteFanOut(1_000_000, scale) },
    { name: "PostgreSQL, 100,000", goals, rounds: 5, open: (scale) => comparePostgresFanOut(100_000, scale) },
    { name: "PostgreSQL, 1,000,000", goals, rounds: 3, open: (scale) => comparePostgresFanOut(1_000_000, scale) },
  ],
};
