import type { Row } from "../harness/row.ts";
import { compareSqliteCreates } from "../settings/sqlite-create.ts";

const IN_FLIGHT = 64;

export const row: Row = {
  id: "1b",
  what: `SQLite create, ${IN_FLIGHT} in flight`,
  cases: [
    {
      name: "FULL",
      goals: [
        { ratio: "rate", against: "raw", atLeast: 1 },
        { ratio: "rate", against: "usual", atLeast: 5 },
      ],
      open: (scale) => compareSqliteCreates({ inFlight: IN_FLIGHT, durability: "full" }, scale),
    },
  ],
};
