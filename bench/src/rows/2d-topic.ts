import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresTopic, compareSqliteTopic } from "../settings/topic.ts";

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "raw", atLeast: 0.85 }];

export const row: Row = {
  id: "2d",
  what: "One notification to a topic of 100,000 and of 1,000,000 subscribers",
  cases: [
    { name: "SQLite, 100,000", goals, rounds: 5, open: (scale) => compareSqliteTopic(100_000, scale) },
    { name: "SQLite, 1,000,000", goals, rounds: 3, open: (scale) => compareSqliteTopic(1_000_000, scale) },
    { name: "PostgreSQL, 100,000", goals, rounds: 5, open: (scale) => comparePostgresTopic(100_000, scale) },
    { name: "PostgreSQL, 1,000,000", goals, rounds: 3, open: (scale) => comparePostgresTopic(1_000_000, scale) },
  ],
};
