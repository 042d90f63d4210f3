import type { RatioCase, Row } from "../harness/row.ts";
import { compareHttpMarks } from "../settings/http-inbox.ts";
import type { Framework } from "../settings/http-servers.ts";

const caseOf = (name: string, framework: Framework): RatioCase => ({
  name,
  goals: [{ ratio: "cpu", against: "usual", atLeast: 1.2 }],
  open: (scale) => compareHttpMarks(framework, scale),
});

export const row: Row = {
  id: "4d",
  what: "HTTP PATCH read, SQLite NORMAL",
  cases: [caseOf("Hono", "hono"), caseOf("Express", "express")],
};
