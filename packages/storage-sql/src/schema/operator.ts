import type { RetryRunState } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

/** The tables of what operators do in the background. */
export const OPERATOR = {
  /** Retries of everything that matches. */
  retryRuns: table(
    {
      id: c.asKey(c.uuid),
      tenant: c.bytewise,
      /** In JSON. */
      filter: c.text,
      /** The recipient that it looks for. */
      recipient: c.nullable(c.bytewise),
      actor: c.text,
      state: c.textOf<RetryRunState>(),
      matched: c.integer,
      looked: c.integer,
      retried: c.integer,
      /** The last send that it has come to. */
      afterId: c.nullable(c.uuid),
      createdAt: c.time,
      endedAt: c.nullable(c.time),
      dueAt: c.time,
      fence: c.integer,
    },
    {
      indexes: {
        tenant: ["tenant", "id"],
        due: { on: ["dueAt"], where: "state = 'running'" },
        ended: { on: ["endedAt"], with: "endedAt" },
      },
    },
  ),
};
