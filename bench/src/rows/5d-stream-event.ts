import type { Row } from "../harness/row.ts";
import { compareStreams } from "../settings/socket-fan-out.ts";

export const row: Row = {
  id: "5d",
  what: "One event to 1,000 Server-Sent Event streams",
  cases: [{ name: "SQLite", goals: [{ ratio: "cpu", against: "prebuilt chunk", atLeast: 0.9 }], rounds: 31, open: compareStreams }],
};
