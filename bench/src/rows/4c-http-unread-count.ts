import type { RatioCase, Row } from "../harness/row.ts";
import { COUNT_PATH, compareHttpReads, countEndpoint } from "../settings/http-inbox.ts";
import type { Framework } from "../settings/http-servers.ts";
import { WARM } from "../settings/sqlite-lists.ts";

const caseOf = (name: string, framework: Framework): RatioCase => ({
  name,
  goals: [
    { ratio: "cpu", against: "usual", atLeast: 1.5 },
    { ratio: "cpu", against: "careful", atLeast: 0.9 },
  ],
  open: (scale) => compareHttpReads({ framework, path: COUNT_PATH, readers: WARM, endpoint: countEndpoint }, scale),
});

export const row: Row = {
  id: "4c",
  what: "HTTP poll of the unread count, SQLite",
  cases: [caseOf("Hono", "hono"), caseOf("Express", "express")],
  notYet: ["an unchanged poll by ETag (≥ 0.95 of a hello): no contract answers with an ETag yet"],
};
