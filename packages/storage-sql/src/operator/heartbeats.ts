import type { HealthStorage, WorkerBeat } from "@belfry/core/storage";
import { type RowOf, type Sql, selected } from "../database/sql.ts";

type WorkerRow = RowOf<WorkerBeat & { readonly seenAt: Date }>;

/** What workers say of themselves. */
export function heartbeats(sql: Sql): Pick<HealthStorage, "beat" | "workers" | "lastSeen" | "leave" | "pruneWorkers"> {
  const { workerHeartbeats } = sql.tables;
  const at = (parameter: string) => sql.cast(parameter, "timestamptz");
  const number = (place: number) => sql.cast(`(e.value ->> ${place})`, "bigint");
  const own = "instance, name, owner, mode, concurrency, attempting, leased, lag_ms, at";
  const changed = own.split(", ").slice(2);
  const beat = `INSERT INTO ${workerHeartbeats} (${own})
    SELECT e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, ${[4, 5, 6, 7].map(number).join(", ")}, ${at("$2")}
    FROM ${sql.elements("$1")} WHERE true
    ON CONFLICT (instance, name) DO UPDATE SET ${changed.map((column) => `${column} = excluded.${column}`).join(", ")}`;
  const columns = selected({
    ...{ instance: "instance", name: "name", owner: "owner", mode: "mode", concurrency: "concurrency", attempting: "attempting" },
    ...{ leased: "leased", lagMs: "lag_ms", seenAt: sql.milliseconds("at") },
  });
  const read = `SELECT ${columns} FROM ${workerHeartbeats} ORDER BY CASE WHEN at <= ${at("$2")} THEN 0 ELSE 1 END, at DESC, instance, name LIMIT $1`;
  const lastSeen = `SELECT name, ${sql.milliseconds("max(at)")} AS "seenAt" FROM ${workerHeartbeats} WHERE at <= ${at("$1")} GROUP BY name ORDER BY name`;
  const leave = `DELETE FROM ${workerHeartbeats} WHERE instance = $1 RETURNING instance`;
  const prune = `DELETE FROM ${workerHeartbeats} WHERE at < ${at("$1")} RETURNING instance`;
  return {
    async beat(workers, now) {
      const rows = workers.map(({ instance, name, owner, mode, concurrency, attempting, leased, lagMs }) => {
        return [instance, name, owner, mode, concurrency, attempting, leased, lagMs];
      });
      // A crash of the machine may take it back: the next one says the same.
      await sql.inStep("beat", [beat], [JSON.stringify(rows), now]);
    },
    async workers(limit, lost) {
      return (await sql.rows<WorkerRow>("seen_workers", read, [limit, lost])).map(seen);
    },
    async lastSeen(until) {
      return (await sql.rows<Pick<WorkerRow, "name" | "seenAt">>("last_seen_workers", lastSeen, [until])).map(seen);
    },
    async leave(instance) {
      await sql.rows("leave_workers", leave, [instance]);
    },
    async pruneWorkers(before) {
      await sql.rows("prune_workers", prune, [before]);
    },
  };
}

function seen<Row extends { readonly seenAt: number }>({ seenAt, ...row }: Row): Omit<Row, "seenAt"> & { readonly seenAt: Date } {
  return { ...row, seenAt: new Date(seenAt) };
}
