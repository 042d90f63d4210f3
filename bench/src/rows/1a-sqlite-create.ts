import type { Row } from "../harness/row.ts";
import { compareSqliteCreates } from "../settings/sqlite-create.ts";

export const row: Row = {
  id: "1a",
  what: "SQLite create, awaited one by one",
  cases: [
    {
      name: "FULL",
      goals: [
        { ratio: "rate", against: "raw", atLeast: 0.95 },
        { ratio: "cpu", against: "raw", atLeast: 1 / 1.15 },
      ],
      open: (scale) => compareSqliteCreates({ inFlight: 1, durability: "full" }, scale),
    },
    {
      name: "NORMAL",
      goals: [{ ratio: "rate", against: "usual", atLeast: 1.3 }],
      open: (scale) => compareSqliteCreates({ inFlight: 1, durability: "normal" }, scale),
    },
  ],
};
