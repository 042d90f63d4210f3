import type { Channel } from "@belfry/core";
import type { DeliveryStorage, Storage } from "@belfry/core/storage";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";
import pg from "pg";
import { storageAt } from "../../test/storage-at.ts";

/** Points at which a process is killed once it gets there. Points inside a transaction are before its commit. */
export const FAILPOINTS = [
  "mid-migration",
  "before the insert",
  "in the insert",
  "after the insert",
  "before the claim",
  "in the claim",
  "after the claim",
  "while the provider reads",
  "after the provider's answer",
  "before the completion",
  "in the completion",
  "after the completion",
] as const;

export type Failpoint = (typeof FAILPOINTS)[number];

/** The parts of a service that failpoints, and mutants, are planted into from outside. */
export interface Parts {
  readonly storage: Storage;
  readonly channels: readonly Channel[];
}

/** Which rows of deliveries a failpoint inside a transaction waits for, as SQL on both databases. */
export const TRIGGERS: Partial<Record<Failpoint, string>> = {
  "in the insert": "AFTER INSERT ON belfry_deliveries FOR EACH ROW",
  "in the claim": "AFTER UPDATE ON belfry_deliveries FOR EACH ROW WHEN (NEW.lease_owner IS NOT NULL AND OLD.lease_owner IS NULL)",
  "in the completion": "AFTER UPDATE ON belfry_deliveries FOR EACH ROW WHEN (NEW.settled_at IS NOT NULL AND OLD.settled_at IS NULL)",
};

/** The statement of a migration after which a failpoint is in its middle. */
const MIDDLE = "CREATE TABLE belfry_deliveries";

/** Ends this process as a failing machine does. */
export function die(): never {
  process.kill(process.pid, "SIGKILL");
  throw new Error("A killed process went on.");
}

/**
 * A storage over a database, whose connection has the failpoints that are inside transactions: on SQLite a trigger of the
 * connection's own calls a function that kills the process. On PostgreSQL the driver plants a trigger that waits, and kills
 * the process meanwhile.
 */
export function storageWithFailpoint(url: string, point: Failpoint | undefined): Storage {
  const trigger = point === undefined ? undefined : TRIGGERS[point];
  const isSqlite = url.startsWith("sqlite:");
  if (point === "mid-migration") {
    return isSqlite ? sqliteStorage(dyingDatabase(url)) : postgresStorage(dyingPool(url));
  }
  if (trigger === undefined || !isSqlite) {
    return storageAt(url);
  }
  const database = new Database(url.slice("sqlite:".length));
  database.pragma("journal_mode = WAL");
  database.function("belfry_die", () => die());
  const storage = sqliteStorage(database);
  return override(storage, {
    async open() {
      await storage.open();
      database.exec(`CREATE TEMP TRIGGER IF NOT EXISTS dies ${trigger} BEGIN SELECT belfry_die(); END`);
    },
  });
}

/** A database that is killed in the middle of its migration. */
function dyingDatabase(url: string): Database.Database {
  const database = new Database(url.slice("sqlite:".length));
  database.pragma("journal_mode = WAL");
  const exec = database.exec.bind(database);
  database.exec = (sql) => {
    exec(sql);
    return sql.includes(MIDDLE) ? die() : database;
  };
  return database;
}

function dyingPool(url: string): pg.Pool {
  class DyingClient extends pg.Client {
    // biome-ignore lint/suspicious/noExplicitAny: pg overloads this method eight times
    override async query(...args: any[]): Promise<any> {
      const answer = await super.query(...(args as [string]));
      return String(args[0]).includes(MIDDLE) ? die() : answer;
    }
  }
  const pool = new pg.Pool({ connectionString: url, Client: DyingClient as unknown as typeof pg.Client } as pg.PoolConfig);
  pool.on("error", () => {});
  return pool;
}

/** The parts with a failpoint between their calls. */
export function withFailpoint({ storage, channels }: Parts, point: Failpoint | undefined): Parts {
  const deliveries = dyingDeliveries(storage.deliveries, point);
  const isAtProvider = point === "after the provider's answer";
  return {
    storage: deliveries === null ? storage : override(storage, { deliveries }),
    channels: isAtProvider ? channels.map((channel) => ({ ...channel, deliver: dieAfter(channel.deliver) })) : channels,
  };
}

function dyingDeliveries(deliveries: DeliveryStorage, point: Failpoint | undefined): DeliveryStorage | null {
  const { leases } = deliveries;
  switch (point) {
    case "before the insert":
      return { ...deliveries, createFreeSends: () => die() };
    case "after the insert":
    case "before the claim":
      return dyingBetween(claimedLater(deliveries), point);
    case "in the claim":
      return claimedLater(deliveries);
    case "after the claim": {
      const claim: typeof leases.claim = async (request) => {
        const claimed = await leases.claim(request);
        return claimed.length > 0 ? die() : claimed;
      };
      return { ...claimedLater(deliveries), leases: { ...leases, claim } };
    }
    case "before the completion":
    case "after the completion": {
      const dying = async <Result>(completion: () => Promise<Result>): Promise<Result> => {
        if (point === "before the completion") {
          die();
        }
        await completion();
        return die();
      };
      const settle: DeliveryStorage["settle"] = (selection, ...rest) => {
        const run = () => deliveries.settle(selection, ...rest);
        return selection.kind === "deliveries" ? dying(run) : run();
      };
      const complete: DeliveryStorage["complete"] = (...completed) => dying(() => deliveries.complete(...completed));
      return { ...deliveries, settle, complete };
    }
    default:
      return null;
  }
}

/** Writes deliveries without the worker's lease, which those that are due at once have while it has turns: all of them are claimed. */
export function claimedLater(deliveries: DeliveryStorage): DeliveryStorage {
  return {
    ...deliveries,
    createFreeSends: (sends, ...rest) =>
      deliveries.createFreeSends(
        sends.map((send) => ({ ...send, deliveries: send.deliveries.map(({ lease: _, ...delivery }) => delivery) })),
        ...rest,
      ),
  };
}

/**
 * Dies once the send is written and before a delivery of it is claimed: after the insert before anybody hears of it, before the
 * claim when the answer may be out. No claim may be under way meanwhile, since it would find what was just written.
 */
function dyingBetween(deliveries: DeliveryStorage, point: "after the insert" | "before the claim"): DeliveryStorage {
  const { leases } = deliveries;
  let claiming: Promise<unknown> = Promise.resolve();
  let creating: Promise<unknown> | null = null;
  const create = point === "after the insert" ? dieAfter(deliveries.createFreeSends) : deliveries.createFreeSends;
  const createFreeSends: DeliveryStorage["createFreeSends"] = (...args) => {
    const created = claiming.then(() => create(...args));
    creating = created;
    return created;
  };
  const claim: typeof leases.claim = async (request) => {
    if (creating !== null) {
      await creating;
      die();
    }
    const claimed = leases.claim(request);
    claiming = claimed;
    return claimed;
  };
  return { ...deliveries, createFreeSends, leases: { ...leases, claim } };
}

function dieAfter<Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>): (...args: Args) => Promise<Result> {
  return async (...args) => {
    await call(...args);
    return die();
  };
}

/** An object with other members in the place of some of its own; its methods keep their `this`. */
export function override<Subject extends object>(subject: Subject, members: Partial<Subject>): Subject {
  return new Proxy(subject, {
    get(target, name) {
      const value: unknown = name in members ? members[name as keyof Subject] : Reflect.get(target, name, target);
      return typeof value === "function" && !(name in members) ? value.bind(target) : value;
    },
  });
}
