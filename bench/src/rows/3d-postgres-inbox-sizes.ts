import type { Row } from "../harness/row.ts";
import { comparePostgresSizes } from "../settings/postgres-state.ts";

export const row: Row = {
  id: "3d",
  what: "PostgreSQL list of 10 in inboxes of 10, 10,000 and 1,000,000",
  cases: [
    {
      name: "PostgreSQL",
      // The slowest may take 1.5 times as long as the fastest: each over each other.
      goals: [
        { ratio: "rate", of: "inbox of 10000", against: "inbox of 10", atLeast: 1 / 1.5 },
        { ratio: "rate", of: "inbox of 1000000", against: "inbox of 10", atLeast: 1 / 1.5 },
        { ratio: "rate", of: "inbox of 1000000", against: "inbox of 10000", atLeast: 1 / 1.5 },
      ],
      open: comparePostgresSizes,
    },
  ],
};
