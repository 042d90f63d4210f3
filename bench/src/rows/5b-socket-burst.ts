import type { Row } from "../harness/row.ts";
import { compareSockets } from "../settings/socket-fan-out.ts";

const BURST = 50;

export const row: Row = {
  id: "5b",
  what: `A burst of ${BURST} events to 1,000 WebSockets`,
  cases: [{ name: "SQLite", goals: [{ ratio: "cpu", against: "usual", atLeast: 15 }], rounds: 7, open: () => compareSockets(BURST) }],
};
