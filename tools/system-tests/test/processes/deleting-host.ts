/**
 * A host that deletes: what JOB says, of the user USER or the notification ID. With KILL_AT it kills itself at that statement of the job:
 * before it is sent, or, with KILL_LATE set, once it has run, in the middle of its transaction if there is more to come. In the end it sends
 * "done".
 */
import { NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import pg from "pg";

const { DATABASE_URL = "", JOB = "", USER = "", ID = "", KILL_AT, KILL_LATE } = process.env;
const SQLITE = "sqlite:";
const isSqlite = DATABASE_URL.startsWith(SQLITE);

let isCounting = false;
let statements = 0;

/** Counts a statement, and dies if it is the last one. */
function counted<Answer>(run: () => Answer): Answer {
  statements += isCounting ? 1 : 0;
  const isLast = isCounting && statements === Number(KILL_AT);
  if (isLast && KILL_LATE === undefined) {
    process.kill(process.pid, "SIGKILL");
  }
  const answer = run();
  if (isLast) {
    const die = () => process.kill(process.pid, "SIGKILL");
    if (answer instanceof Promise) {
      void answer.finally(die);
    } else if (isSqlite) {
      die();
    } else {
      setImmediate(die);
    }
  }
  return answer;
}

function countCalls(subject: object, name: string): void {
  const call = Reflect.get(subject, name) as (...args: unknown[]) => unknown;
  Reflect.set(subject, name, (...args: unknown[]) => counted(() => call.apply(subject, args)));
}

function countingSqlite(path: string): Storage {
  const database = new Database(path);
  database.pragma("journal_mode = WAL");
  const prepare = database.prepare.bind(database) as (sql: string) => Database.Statement;
  database.prepare = ((sql: string) => {
    const prepared = prepare(sql);
    for (const name of ["run", "get", "all"] as const) {
      countCalls(prepared, name);
    }
    return prepared;
  }) as typeof database.prepare;
  return sqliteStorage(database);
}

function countingPostgres(url: string): Storage {
  const pool = new pg.Pool({ connectionString: url });
  pool.on("error", () => {});
  pool.on("connect", (client) => countCalls(client, "query"));
  return postgresStorage(pool);
}

const storage = isSqlite ? countingSqlite(DATABASE_URL.slice(SQLITE.length)) : countingPostgres(DATABASE_URL);
const retention = JOB === "sweep everything" ? { readMs: 0, unreadMs: 0, deliveriesMs: 0 } : {};
const notifications = new NotificationService({ storage, retention, delivery: { worker: false }, hub: { worker: false } });

const JOBS: Readonly<Record<string, () => Promise<unknown>>> = {
  "delete the user": () => notifications.deleteUser(USER),
  "delete the notification": () => notifications.delete(ID),
  "delete what is read": () => notifications.inbox(USER).removeRead(),
  sweep: () => notifications.sweep(),
  "sweep everything": () => notifications.sweep(),
};

await notifications.inbox("nobody").counts();
isCounting = true;
await JOBS[JOB]?.();
isCounting = false;
await notifications.stop();
// The pool would keep its connections, and the process, for a while.
process.send?.("done", () => process.exit());
