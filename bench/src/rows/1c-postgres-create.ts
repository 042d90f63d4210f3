import type { Row } from "../harness/row.ts";
import { comparePostgresCreates } from "../settings/postgres-create.ts";

export const row: Row = {
  id: "1c",
  what: "PostgreSQL create, awaited one by one, a listener attached",
  cases: [
    {
      name: "synchronous_commit=on",
      goals: [
        { ratio: "rate", against: "raw", atLeast: 0.9 },
        { ratio: "rate", against: "knex", atLeast: 1 },
      ],
      open: (scale) => comparePostgresCreates(1, scale),
    },
  ],
};
