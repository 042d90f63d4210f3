import type { Row } from "../harness/row.ts";
import { compareHttpReads, LIST_PATH, listEndpoint } from "../settings/http-inbox.ts";
import { COLD, WARM } from "../settings/sqlite-lists.ts";

export const row: Row = {
  id: "4b",
  what: "HTTP list of 20, Express, SQLite",
  cases: [
    {
      name: "warm",
      goals: [
        { ratio: "cpu", against: "usual", atLeast: 1.6 },
        { ratio: "cpu", against: "careful", atLeast: 1.2 },
      ],
      open: (scale) => compareHttpReads({ framework: "express", path: LIST_PATH, readers: WARM, endpoint: listEndpoint }, scale),
    },
    {
      name: "cold",
      goals: [{ ratio: "cpu", against: "usual", atLeast: 1.2 }],
      open: (scale) => compareHttpReads({ framework: "express", path: LIST_PATH, readers: COLD, endpoint: listEndpoint }, scale),
    },
  ],
};
