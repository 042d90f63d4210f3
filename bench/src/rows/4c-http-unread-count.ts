import type { RatioCase, Row } from "../harness/row.ts";
import { COUNT_PATH, compareHttpReads, compareUnchangedPolls, countEndpoint } from "../settings/http-inbox.ts";
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

const unchangedOf = (name: string, framework: Framework): RatioCase => ({
  name: `${name}, unchanged`,
  goals: [{ ratio: "cpu", against: "hello", atLeast: 0.95 }],
  open: (scale) => compareUnchangedPolls(framework, scale),
});

export const row: Row = {
  id: "4c",
  what: "HTTP poll of the unread count, and of unchanged counts by their ETag, SQLite",
  cases: [caseOf("Hono", "hono"), caseOf("Express", "express"), unchangedOf("Hono", "hono"), unchangedOf("Express", "express")],
};
