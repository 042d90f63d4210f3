import { setTimeout } from "node:timers/promises";
import { type Logger, memoryTransport, NotificationService } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { type PostgresServer, startPostgres } from "@belfry/postgres-launcher";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { postgresStorage, type ReplicaOptions } from "../src/index.ts";
import { silent, useCleanup } from "./setup.ts";

/** Long enough that no test is over before a mark is too old. */
const LONG_MS = 120_000;

describe("reads that may be behind", () => {
  const cleanup = useCleanup();
  let primary: PostgresServer;
  let standby: PostgresServer;

  beforeAll(async () => {
    primary = await startPostgres();
    standby = await primary.startStandby();
  });
  afterAll(async () => {
    await standby?.stop();
    await primary?.stop();
  });

  async function query<Row>(url: string, text: string): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    return (await client.query(text).finally(() => client.end())).rows as readonly Row[];
  }

  /** Resolves once the standby has everything that is written. */
  async function followed(): Promise<void> {
    const [written] = await query<{ at: string }>(primary.url, "SELECT pg_current_wal_insert_lsn() AS at");
    await expect
      .poll(() => query(standby.url, `SELECT pg_last_wal_replay_lsn() >= '${written?.at}' AS there`), { timeout: 30_000 })
      .toEqual([{ there: true }]);
  }

  /** Keeps the standby at what it has, until the end of the test or `goOn`. */
  async function hold(): Promise<{ goOn(): Promise<void> }> {
    await followed();
    await query(standby.url, "SELECT pg_wal_replay_pause()");
    await expect.poll(() => query(standby.url, "SELECT pg_get_wal_replay_pause_state() AS state")).toEqual([{ state: "paused" }]);
    const goOn = async () => void (await query(standby.url, "SELECT pg_wal_replay_resume()"));
    cleanup(goOn);
    return { goOn };
  }

  /** @param logger gets the lines of the storage */
  async function serviceOf(replica: ReplicaOptions, logger: Logger = silent): Promise<NotificationService> {
    const storage = postgresStorage(primary.url, { logger, replica, poolSize: 3 });
    // Others have nothing to hear of it.
    const transport = memoryTransport();
    const service = new NotificationService({ storage, transport, logger: silent, delivery: { worker: false }, hub: { worker: false } });
    cleanup(() => service.stop());
    await service.start();
    return service;
  }

  /** A service that reads on the standby, and a user there with one notification, "First". */
  async function read(userId: string) {
    const service = await serviceOf({ database: standby.url, maxLagMs: LONG_MS });
    await service.create({ to: userId, title: "First" });
    await followed();
    const inbox = service.inbox(userId);
    await expect.poll(async () => (await inbox.mayLag().counts()).lagMs, { timeout: 30_000 }).toBeGreaterThan(0);
    return { service, inbox };
  }

  function lines() {
    const told: string[] = [];
    const logger: Logger = { ...silent, warn: (_, message) => void told.push(message ?? "") };
    return { told, logger };
  }

  const titles = ({ items }: { readonly items: readonly { readonly title: string }[] }) => items.map(({ title }) => title);

  test("come from the replica, with what it has and how far it may be behind; all else is of now", async () => {
    const { service, inbox } = await read("ann");
    await hold();
    await service.create({ to: "ann", title: "Second", group: "thread" });
    const lagging = await inbox.mayLag().list();
    expect(titles(lagging)).toEqual(["First"]);
    expect(lagging).toMatchObject({ counts: { lastSeq: 1, total: 1 }, matching: 1, nextCursor: null });
    expect(lagging.lagMs).toBeGreaterThan(0);
    expect(await inbox.mayLag().counts()).toMatchObject({ total: 1, unread: 1, lagMs: expect.any(Number) });
    expect(await inbox.mayLag().counts({ filters: [{ types: ["other"] }] })).toMatchObject({ total: 1, filtered: [{ total: 0 }] });
    expect((await inbox.mayLag().groups()).groups).toEqual([]);
    expect(titles(await inbox.list())).toEqual(["Second", "First"]);
    expect(await inbox.counts()).toMatchObject({ total: 2 });
    expect((await inbox.groups()).groups).toMatchObject([{ group: "thread" }]);
  });

  test("are told of, with who answered", async () => {
    const { service, inbox } = await read("lea");
    await hold();
    const { epoch, lastSeq, rev } = await inbox.counts();
    await inbox.markRead({ seq: 1 });
    const told: object[] = [];
    service.on("inbox.lagging_read", (event) => void told.push(event));
    await inbox.mayLag().list();
    await inbox.mayLag({ since: { epoch, seq: lastSeq, rev: rev + 1 } }).list();
    await inbox.list();
    expect(told).toEqual([
      { tenant: "default", userId: "lea", by: "replica", lagMs: expect.any(Number) },
      { tenant: "default", userId: "lea", by: "database", lagMs: 0 },
    ]);
  });

  test("come over the native contract to who accepts them, without a tag", async () => {
    const { service, inbox } = await read("ivy");
    await hold();
    await inbox.pin({ seq: 1 });
    await service.create({ to: "ivy", title: "Second" });
    const { epoch, lastSeq, rev } = await inbox.counts();
    const handler = createHandler(service, { contracts: [native()], auth: () => ({ kind: "user", userId: "ivy", tenant: "default" }) });
    const ask = async (query: string, etag = "") => {
      const headers = { "if-none-match": etag };
      const answer = await handler.fetch(new Request(`http://localhost/api/belfry/v1/inbox${query}`, { headers }));
      return { status: answer.status, etag: answer.headers.get("etag"), body: (await answer.json()) as { readonly lagMs?: number } };
    };
    const now = await ask("");
    expect(now).toMatchObject({ body: { items: [{ title: "Second" }, { title: "First" }], top: [{ title: "First" }] } });
    const lagging = await ask("?mayLag=any", now.etag ?? "");
    expect(lagging).toMatchObject({ status: 200, etag: null, body: { items: [{ title: "First" }], top: [], counts: { lastSeq: 1 } } });
    expect(lagging.body.lagMs).toBeGreaterThan(0);
    const known = await ask(`?mayLag=${epoch}:${lastSeq}:${rev}`);
    expect(known).toEqual({ status: 200, etag: null, body: { ...now.body, lagMs: 0 } });
    expect((await ask("/counts?mayLag=any")).body).toMatchObject({ counts: { total: 1 }, lagMs: expect.any(Number) });
    expect((await ask("/groups?mayLag=any")).body).toMatchObject({ groups: [], counts: { total: 1 } });
  });

  test("are never older than a position that the caller knows", async () => {
    const { service, inbox } = await read("bob");
    await hold();
    const before = await inbox.counts();
    const known = { epoch: before.epoch, seq: before.lastSeq, rev: before.rev };
    await inbox.markRead({ seq: 1 });
    await service.create({ to: "bob", title: "Second" });
    const { epoch, lastSeq: seq, rev } = await inbox.counts();
    expect(await inbox.mayLag({ since: known }).counts()).toMatchObject({ total: 1, unread: 1 });
    expect(await inbox.mayLag({ since: { ...known, rev } }).counts()).toMatchObject({ total: 2, unread: 1, lagMs: 0 });
    expect(await inbox.mayLag({ since: { ...known, seq } }).counts()).toMatchObject({ total: 2, lagMs: 0 });
    expect(titles(await inbox.mayLag({ since: { epoch, seq, rev } }).list())).toEqual(["Second", "First"]);
    await service.renewEpochs();
    const renewed = await inbox.counts();
    expect(await inbox.mayLag({ since: { epoch: renewed.epoch, seq: 0 } }).counts()).toMatchObject({ lagMs: 0 });
  });

  test("of a next page go to the database itself when the replica does not know the list of its cursor", async () => {
    const { service, inbox } = await read("cyd");
    await service.create({ to: "cyd", title: "Second" });
    await hold();
    const old = await inbox.mayLag().list({ limit: 1 });
    expect(titles(await inbox.mayLag().list({ limit: 1, cursor: old.nextCursor ?? "" }))).toEqual(["First"]);
    await service.renewEpochs();
    const { nextCursor } = await inbox.list({ limit: 1 });
    const next = await inbox.mayLag().list({ limit: 1, cursor: nextCursor ?? "" });
    expect(next).toMatchObject({ items: [{ title: "First" }], lagMs: 0 });
    await expect(inbox.mayLag().list({ cursor: "7-edited" })).rejects.toMatchObject({ code: "INVALID_CURSOR" });
  });

  test("leave what is kept of lists alone: neither takes the other's texts", async () => {
    const { service, inbox } = await read("dan");
    const [item] = (await inbox.list()).items;
    await hold();
    // Asked often enough to be kept.
    for (let asked = 0; asked < 3; asked += 1) {
      expect(titles(await inbox.list())).toEqual(["First"]);
    }
    await query(primary.url, `UPDATE belfry_notifications SET title = 'Changed' WHERE id = '${item?.id}'`);
    for (let asked = 0; asked < 3; asked += 1) {
      expect(titles(await inbox.mayLag().list())).toEqual(["First"]);
      expect(titles(await inbox.list())).toEqual(["Changed"]);
    }
    await service.inbox("dan").markAllRead();
    expect((await inbox.mayLag().list()).items).toMatchObject([{ title: "First", readAt: null }]);
  });

  test("that have to write first, write: an inbox begins, and broadcasts are placed", async () => {
    const { service, inbox } = await read("eve");
    expect(await service.inbox("new").mayLag().counts()).toMatchObject({ total: 0, lagMs: 0 });
    await service.create({ to: "everyone", title: "To all" });
    await followed();
    const placing = await inbox.mayLag().list();
    expect(titles(placing)).toEqual(["To all", "First"]);
    expect(placing.lagMs).toBe(0);
    await followed();
    const placed = await inbox.mayLag().list();
    expect(titles(placed)).toEqual(["To all", "First"]);
    expect(placed.lagMs).toBeGreaterThan(0);
  });

  test("stay on the database while the replica is further behind than it may be, with one line, and come back", async () => {
    const { told, logger } = lines();
    const service = await serviceOf({ database: standby.url, maxLagMs: 1_000 }, logger);
    await service.create({ to: "fay", title: "First" });
    const inbox = service.inbox("fay");
    const counts = () => inbox.mayLag().counts();
    await expect.poll(async () => (await counts()).lagMs, { timeout: 30_000 }).toBeGreaterThan(0);
    const { goOn } = await hold();
    await service.create({ to: "fay", title: "Second" });
    await expect.poll(async () => [(await counts()).total, told.length], { timeout: 30_000 }).toEqual([2, 1]);
    expect(told).toEqual(["A replica of Belfry's database cannot answer. The database itself answers until it can."]);
    expect(await counts()).toMatchObject({ total: 2, lagMs: 0 });
    await goOn();
    await expect.poll(async () => (await counts()).lagMs, { timeout: 60_000 }).toBeGreaterThan(0);
    expect(told.slice(1)).toEqual(["The replica of Belfry's database answers again."]);
  }, 120_000);

  test("come from a replica that has everything, however long nothing was written", async () => {
    const { told, logger } = lines();
    const storage = postgresStorage(primary.url, { logger, replica: { database: standby.url, maxLagMs: 1_000 } });
    cleanup(() => storage.close());
    await storage.open();
    await followed();
    const lagMs = async () => {
      const counted = await storage.replica.readInboxes((inbox) => inbox.counts({ tenant: "acme", userId: "nobody" }));
      return counted?.lagMs ?? 0;
    };
    await expect.poll(lagMs, { timeout: 30_000 }).toBeGreaterThan(0);
    const [{ age } = { age: 0 }] = await query<{ age: number }>(
      standby.url,
      "SELECT extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8 AS age",
    );
    await setTimeout(Math.max(0, 1_100 - age * 1_000));
    await expect.poll(lagMs, { timeout: 30_000 }).toBeGreaterThan(0);
    expect(told).toEqual([]);
  });

  test.each([
    ["the database itself", () => primary.url, "It is no physical replica, or was made the primary."],
    ["a replica of another database", () => standby.url.replace(/postgres$/, "other"), "It is a server of another database."],
    ["a server that nobody runs", () => "postgres://postgres@127.0.0.1:1/postgres", "connect ECONNREFUSED 127.0.0.1:1"],
  ])("are answered by the database where the replica is %s", async (_, url, reason) => {
    await query(primary.url, "CREATE DATABASE other").catch(() => null);
    await followed();
    const told: unknown[] = [];
    const service = await serviceOf({ database: url() }, { ...silent, warn: (...line) => void told.push(line) });
    await service.create({ to: "gus", title: "First" });
    const before = (await service.inbox("gus").counts()).total;
    for (let asked = 0; asked < 3; asked += 1) {
      expect(await service.inbox("gus").mayLag().counts()).toMatchObject({ total: before, lagMs: 0 });
    }
    expect(told).toEqual([[{ reason }, "A replica of Belfry's database cannot answer. The database itself answers until it can."]]);
  });

  test("are answered by the database when the replica ends their connection", async () => {
    const pool = new pg.Pool({ connectionString: standby.url });
    const take = pool.connect.bind(pool);
    const end = async (client: pg.PoolClient & { readonly processID?: number }) => {
      client.on("error", () => {});
      await query(standby.url, `SELECT pg_terminate_backend(${client.processID}, 5000)`);
    };
    // Ends each connection between its being taken and its first statement.
    const connect = (told: (error: Error | undefined, client: pg.PoolClient | undefined, done: () => void) => void) =>
      take((error, client, done) => {
        const ended = client === undefined ? Promise.resolve() : end(client);
        void ended.then(() => told(error, client, done));
      });
    cleanup(() => pool.end());
    const { told, logger } = lines();
    const service = await serviceOf({ database: Object.assign(pool, { connect }) }, logger);
    await service.create({ to: "jo", title: "First" });
    await followed();
    const lagging = service.inbox("jo").mayLag();
    expect(titles(await lagging.list())).toEqual(["First"]);
    expect(await Promise.all([lagging.counts(), lagging.counts()])).toMatchObject([{ lagMs: 0 }, { lagMs: 0 }]);
    expect(told).toEqual(["A replica of Belfry's database cannot answer. The database itself answers until it can."]);
  });

  test("of one caller that take too long are answered by the database, and leave the replica to others", async () => {
    const pool = new pg.Pool({ connectionString: standby.url, max: 1 });
    cleanup(() => pool.end());
    const { told, logger } = lines();
    const service = await serviceOf({ database: pool, maxLagMs: LONG_MS }, logger);
    await service.create({ to: "kim", title: "First" });
    await followed();
    const lagging = service.inbox("kim").mayLag();
    await expect.poll(async () => (await lagging.counts()).lagMs, { timeout: 30_000 }).toBeGreaterThan(0);
    const client = await pool.connect();
    const query = client.query.bind(client);
    const slowly = (asked: pg.QueryConfig) =>
      query(asked.text.includes("pg_is_in_recovery") ? asked : { text: "SET statement_timeout = 10; SELECT pg_sleep(60)" });
    Object.assign(client, { query: slowly }).release();
    expect(await lagging.counts()).toMatchObject({ total: 1, lagMs: 0 });
    expect((await lagging.counts()).lagMs).toBeGreaterThan(0);
    expect(told).toEqual([]);
  });

  test("go on when the replica goes away under them, and when it is there again", async () => {
    const { inbox } = await read("hal");
    await standby.shutDown("immediate");
    expect(await inbox.mayLag().counts()).toMatchObject({ total: 1, lagMs: 0 });
    await standby.startAgain();
    await expect.poll(async () => (await inbox.mayLag().counts()).lagMs, { timeout: 60_000 }).toBeGreaterThan(0);
  }, 120_000);
});
