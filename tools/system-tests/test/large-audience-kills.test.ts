import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService } from "@belfry/core";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { type Query, queryOf, wrongCounts } from "./recount.ts";
import { SeededRandom } from "./seeded-random.ts";
import { storageAt } from "./storage-at.ts";
import { openPool } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROGRAM = bundledProgram(new URL("./processes/creating-for-many.ts", import.meta.url));

const SUBSCRIBERS = process.env.BELFRY_LONG ? 100_000 : 12_000;
const MAIL_USERS = process.env.BELFRY_LONG ? 20_000 : 1_200;
const KILLS = process.env.BELFRY_LONG ? 8 : 2;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 240_000;
const WAIT = { timeout: TIMEOUT_MS, interval: 20 };
const PAGE = 1_000;

/** The names of users, in another order than that of their names. */
function usersOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `user_${(index * 7_919) % count}`);
}

/** A mail was about to go out, went out, or was settled: its delivery is stored. */
interface LedgerLine {
  readonly what: "begin" | "mail" | "settled";
  readonly delivery: string;
}

describe.each(DATABASES)("processes on %s that are killed in the middle of a large audience", (kind) => {
  const cleanup = useCleanup();
  const random = new SeededRandom(14);

  async function prepared() {
    const url = await emptyDatabase(kind, cleanup);
    const directory = mkdtempSync(join(tmpdir(), "belfry-ledger-"));
    cleanup(() => rmSync(directory, { recursive: true }));
    const ledger = join(directory, "ledger");
    writeFileSync(ledger, "");
    const service = new NotificationService({ storage: storageAt(url), delivery: { worker: false } });
    await service.inbox("nobody").counts();
    const start = async (): Promise<ChildProcess> => {
      const { PATH, NODE_COMPILE_CACHE } = process.env;
      const child = fork(PROGRAM, { env: { PATH, NODE_COMPILE_CACHE, DATABASE_URL: url, LEDGER: ledger } });
      cleanup(() => kill(child));
      await once(child, "message");
      return child;
    };
    const lines = () =>
      readFileSync(ledger, "utf8")
        .split("\n")
        .slice(0, -1)
        .map((line): LedgerLine => {
          const [what, delivery = ""] = line.split(" ");
          return { what: what as LedgerLine["what"], delivery };
        });
    return { service, start, lines, query: queryAt(url) };
  }

  /** Reads the database from outside. */
  function queryAt(url: string): Query {
    if (kind === "PostgreSQL") {
      const pool = openPool(url, { max: 1 });
      cleanup(() => pool.end());
      return queryOf(pool);
    }
    const database = new Database(url.slice("sqlite:".length), { readonly: true });
    cleanup(() => database.close());
    return async (sql) => database.prepare<unknown[], Readonly<Record<string, unknown>>>(sql).all();
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
  }

  /** Kills one process after another as the work goes on; another one resumes. Returns once everything is done. */
  async function killedAsItGoes(
    start: () => Promise<ChildProcess>,
    input: object,
    done: () => Promise<number>,
    all: number,
  ): Promise<string> {
    let child = await start();
    child.send(input);
    const [id] = (await once(child, "message")) as [string];
    for (let killed = 0; killed < KILLS; killed += 1) {
      const until = (killed * all) / KILLS + random.below(Math.floor(all / KILLS / 2)) + 1;
      await expect.poll(done, WAIT).toBeGreaterThanOrEqual(until);
      await kill(child);
      child = await start();
    }
    await expect.poll(done, { ...WAIT, interval: 50 }).toBe(all);
    return id;
  }

  const numberOf = async (query: Query, sql: string) => Number(Object.values((await query(sql))[0] ?? {})[0]);

  test(`each of ${SUBSCRIBERS} subscribers of a topic has one item`, { timeout: TIMEOUT_MS }, async () => {
    const { service, start, query } = await prepared();
    const users = usersOf(SUBSCRIBERS);
    for (let first = 0; first < users.length; first += PAGE) {
      await service.topics.subscribe("news", users.slice(first, first + PAGE));
    }
    await service.stop();
    const items = () => numberOf(query, "SELECT count(*) FROM belfry_inbox_items");
    await killedAsItGoes(start, { topic: "news", title: "Hello" }, items, SUBSCRIBERS);
    expect(await numberOf(query, "SELECT count(DISTINCT user_id) FROM belfry_inbox_items WHERE seq = 1")).toBe(SUBSCRIBERS);
    expect(await wrongCounts(query)).toEqual([]);
    const left = "SELECT (SELECT count(*) FROM belfry_audiences WHERE source IS NOT NULL) + (SELECT count(*) FROM belfry_fan_out_parts)";
    await expect.poll(() => numberOf(query, left), WAIT).toBe(0);
    expect(await items()).toBe(SUBSCRIBERS);
  });

  test(`each of ${MAIL_USERS} users has one item and a mail, two only if a kill met the first`, { timeout: TIMEOUT_MS }, async () => {
    const { service, start, lines, query } = await prepared();
    await service.stop();
    const users = usersOf(MAIL_USERS);
    const settled = () => numberOf(query, "SELECT count(*) FROM belfry_deliveries WHERE channel = 'email' AND status = 'delivered'");
    await killedAsItGoes(start, { to: users, channels: ["inbox", "email"], title: "Hello", message: "Hi" }, settled, MAIL_USERS);
    expect(await numberOf(query, "SELECT count(DISTINCT user_id) FROM belfry_inbox_items WHERE seq = 1")).toBe(MAIL_USERS);
    expect(await numberOf(query, "SELECT count(*) FROM belfry_inbox_items")).toBe(MAIL_USERS);
    expect(await wrongCounts(query)).toEqual([]);
    expect(await numberOf(query, "SELECT count(*) FROM belfry_deliveries WHERE channel = 'email'")).toBe(MAIL_USERS);

    const ended = new Set<string>();
    const mailed = new Set<string>();
    for (const { what, delivery } of lines()) {
      // One that was settled never begins again; one that was in hand at a kill may.
      expect(what === "begin" && ended.has(delivery)).toBe(false);
      (what === "settled" ? ended : what === "mail" ? mailed : new Set()).add(delivery);
    }
    expect(mailed.size).toBe(MAIL_USERS);
  });
});
