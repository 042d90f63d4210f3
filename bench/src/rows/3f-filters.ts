import type { Row } from "../harness/row.ts";
import { comparePostgresFilters, compareSqliteFilters, FILTER_GOALS } from "../settings/filters.ts";

export const row: Row = {
  id: "3f",
  what: "Filtered list of 20 in an inbox of 1,000,000 where all, or none, match",
  cases: [
    { name: "SQLite", goals: FILTER_GOALS, rounds: 7, open: compareSqliteFilters },
    { name: "PostgreSQL", goals: FILTER_GOALS, rounds: 7, open: comparePostgresFilters },
  ],
};
