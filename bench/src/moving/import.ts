import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService, type PreparedNotification, systemClock } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import Database from "better-sqlite3";

/** A way to import an old table: how many rows a transaction has, and whether each commit waits for the disk. */
interface Way {
  readonly rowsAtOnce: number;
  readonly durability: "full" | "normal";
}

const WAYS: readonly Way[] = [
  { rowsAtOnce: 1, durability: "full" },
  { rowsAtOnce: 500, durability: "full" },
  { rowsAtOnce: 500, durability: "normal" },
];

const ITEMS_OF_USER = 50;
const MINUTE_MS = 60_000;

/** A row of the old table. Half of them are read: every second of those at a time of its own, the others at one time for each user. */
interface OldRow {
  readonly user: string;
  readonly createdMs: number;
  readonly readMs: number | null;
}

function oldRow(index: number, rows: number): OldRow {
  const user = `user_${index % Math.ceil(rows / ITEMS_OF_USER)}`;
  const createdMs = Date.UTC(2024, 0, 1) + index * MINUTE_MS;
  const readMs = [null, null, createdMs + MINUTE_MS, Date.UTC(2026, 0, 1)][Math.floor(index / Math.ceil(rows / ITEMS_OF_USER)) % 4] ?? null;
  return { user, createdMs, readMs };
}

/** Measures what the import of an old table takes on SQLite, as the guide to moving does it. */
export async function measureImport(rows: number): Promise<readonly string[]> {
  const lines = [
    `${rows.toLocaleString("en")} old rows of ${Math.ceil(rows / ITEMS_OF_USER)} users, half of them read, into SQLite in a file`,
  ];
  for (const way of WAYS) {
    lines.push(await measureWay(way, rows));
  }
  return lines;
}

async function measureWay({ rowsAtOnce, durability }: Way, rows: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "belfry-import-"));
  const database = new Database(join(directory, "app.db"));
  database.pragma("journal_mode = WAL");
  database.pragma(`synchronous = ${durability}`);
  const importing = new Importing(database, durability);
  try {
    const old = Array.from({ length: rows }, (_, index) => oldRow(index, rows));
    await importing.write(old.slice(0, 1), 1);
    const startedMs = performance.now();
    const ids = await importing.write(old, rowsAtOnce);
    const writtenMs = performance.now();
    const calls = await importing.markRead(old, ids, rowsAtOnce === 1 ? 1 : Number.POSITIVE_INFINITY);
    const markedMs = performance.now();
    const perSecond = Math.round(rows / ((writtenMs - startedMs) / 1_000));
    const [written, marked] = [writtenMs - startedMs, markedMs - writtenMs].map((ms) => `${(ms / 1_000).toFixed(1)} s`);
    return `${rowsAtOnce} rows at once, durability ${durability}: ${written} (${perSecond} rows a second), then ${marked} for ${calls} calls that mark as read`;
  } finally {
    await importing.stop();
    database.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** A service with the clock of the past, over a database of the host. */
class Importing {
  readonly #database: Database.Database;
  readonly #service;
  #nowMs = Date.now();

  constructor(database: Database.Database, durability: Way["durability"]) {
    this.#database = database;
    const storage = sqliteStorage(database, { durability });
    this.#service = new NotificationService({ storage, clock: { ...systemClock, now: () => this.#nowMs } });
  }

  /** Writes items for old rows, and returns their ids. */
  async write(old: readonly OldRow[], rowsAtOnce: number): Promise<readonly string[]> {
    const ids: string[] = [];
    for (let at = 0; at < old.length; at += rowsAtOnce) {
      const batches: PreparedNotification<Database.Database, void>[] = [];
      for (const { user, createdMs } of old.slice(at, at + rowsAtOnce)) {
        this.#nowMs = createdMs;
        batches.push(await this.#service.prepare({ to: user, type: "note", title: "An old notification", channels: ["inbox"] }));
      }
      this.#database.transaction(() => {
        for (const batch of batches) {
          batch.write(this.#database);
          ids.push(batch.notification.id);
        }
      })();
    }
    return ids;
  }

  /** Marks the items of read rows: those of one user and time together, at most `most` in a call. Returns the number of calls. */
  async markRead(old: readonly OldRow[], ids: readonly string[], most: number): Promise<number> {
    const read = old.flatMap(({ user, readMs }, index) => (readMs === null ? [] : [{ user, readMs, id: ids[index] ?? "" }]));
    const groups = Map.groupBy(read, ({ user, readMs, id }) => JSON.stringify(most === 1 ? id : [user, readMs])).values();
    let calls = 0;
    for (const group of groups) {
      const [first] = group;
      if (first !== undefined) {
        this.#nowMs = first.readMs;
        await this.#service.inbox(first.user).markManyRead(group.map(({ id }) => id));
        calls += 1;
      }
    }
    return calls;
  }

  stop(): Promise<void> {
    return this.#service.stop();
  }
}
