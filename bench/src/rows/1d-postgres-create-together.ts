import type { Row } from "../harness/row.ts";
import { comparePostgresCreates } from "../settings/postgres-create.ts";

const IN_FLIGHT = 64;

export const row: Row = {
  id: "1d",
  what: `PostgreSQL create, ${IN_FLIGHT} in flight, one connection, a listener attached`,
  cases: [
    {
      name: "synchronous_commit=on",
      goals: [
        { ratio: "rate", against: "raw", atLeast: 0.9 },
        { ratio: "rate", against: "one by one", atLeast: 8 },
      ],
      open: (scale) => comparePostgresCreates(IN_FLIGHT, scale),
    },
  ],
};
