import type { Row } from "../harness/row.ts";
import { compareSockets } from "../settings/socket-fan-out.ts";

export const row: Row = {
  id: "5a",
  what: "One event to 1,000 WebSockets",
  cases: [
    {
      name: "SQLite",
      goals: [
        { ratio: "cpu", against: "usual", atLeast: 1.6 },
        { ratio: "cpu", against: "prebuilt frame", atLeast: 0.95 },
      ],
      rounds: 31,
      open: () => compareSockets(1),
    },
  ],
};
