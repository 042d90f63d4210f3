import type { AlarmKind, RetryRunState, WorkerMode } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

/** The tables of what operators do in the background. */
export const OPERATOR = {
  /** Alarms of channels, and the turns of processes to look for them: rows of no kind. */
  alarms: table(
    {
      tenant: c.bytewise,
      kind: c.bytewiseOf<AlarmKind | "">(),
      channel: c.bytewise,
      /** Another one for each state. */
      id: c.uuid,
      state: c.textOf<"raised" | "ended" | "turn">(),
      /** In milliseconds, or per mille. */
      value: c.number,
      line: c.number,
      raisedAt: c.time,
      endedAt: c.nullable(c.time),
      toldAt: c.nullable(c.time),
      /** When it may be told, or tried to be told again; of a turn, when it is over. */
      dueAt: c.time,
      tries: c.integer,
    },
    {
      key: ["tenant", "kind", "channel"],
      indexes: { untold: { on: ["dueAt"], where: "told_at IS NULL" }, id: ["id"] },
    },
  ),

  /** How many deliveries waited in each state at the beginning of minutes. A row without tenant and channel says that somebody looks, and by `due` 1 that all is written. */
  backlogSamples: table(
    { tenant: c.bytewise, minute: c.time, channel: c.bytewise, scheduled: c.integer, due: c.integer, retrying: c.integer, held: c.integer },
    { key: ["tenant", "minute", "channel"], indexes: { minute: ["minute"] } },
  ),

  /** What each worker of each instance said of itself last. */
  workerHeartbeats: table(
    {
      instance: c.bytewise,
      name: c.bytewise,
      owner: c.nullable(c.text),
      mode: c.textOf<WorkerMode>(),
      concurrency: c.integer,
      attempting: c.integer,
      leased: c.integer,
      lagMs: c.nullable(c.number),
      at: c.time,
    },
    { key: ["instance", "name"], indexes: { at: ["at"] } },
  ),

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
