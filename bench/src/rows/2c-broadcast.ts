import type { RatioGoal, Row } from "../harness/row.ts";
import { comparePostgresBroadcast, compareSqliteBroadcast } from "../settings/broadcast.ts";

const USERS = 1_000_000;

const goals: readonly RatioGoal[] = [{ ratio: "rate", against: "one user", atLeast: 0.5 }];

export const row: Row = {
  id: "2c",
  what: "A broadcast to 1,000,000 known users, beside a create to one of them",
  cases: [
    { name: "SQLite", goals, open: (scale) => compareSqliteBroadcast(USERS, scale) },
    { name: "PostgreSQL", goals, open: (scale) => comparePostgresBroadcast(USERS, scale) },
  ],
};
