import { NotificationService } from "@belfry/core";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../src/index.ts";
import { belfry, belfryOn, documentOf, idleService, KINDS, type Place, storageAt } from "./setup.ts";

describe.each(KINDS)("on $kind", ({ kind, empty, migrated, unreachable }) => {
  const isServer = kind === "PostgreSQL";
  let place: Place;
  let service: NotificationService;
  const at = (...args: string[]) => belfry([...args, "--database", place.url, "--json"]);

  beforeAll(async () => {
    place = await migrated();
    service = idleService(place.url);
  });
  afterAll(async () => {
    await service.stop();
    await place.drop();
  });

  test("migrate --dry-run tells what is pending, and changes nothing; migrate does it, once", async () => {
    const fresh = await empty();
    try {
      const on = (...args: string[]) => belfry([...args, "--database", fresh.url, "--json"]);
      const pending = await on("migrate", "--dry-run");
      expect([pending.code, documentOf(pending)]).toEqual([EXIT.attention, expect.objectContaining({ newest: 0, hasTables: false })]);
      expect((await on("send", "--to", "ann")).code).toBe(EXIT.unreachable);
      expect(documentOf(await on("migrate", "--dry-run"))).toEqual(documentOf(pending));

      const done = await on("migrate");
      const { applied, known, newest } = documentOf(done);
      expect([done.code, newest]).toEqual([EXIT.ok, known]);
      expect(applied).toEqual(documentOf(pending).pending);
      const again = await on("migrate", "--dry-run");
      expect([again.code, documentOf(again)]).toEqual([EXIT.ok, expect.objectContaining({ newest: known, pending: [] })]);
      expect(documentOf(await on("migrate")).applied).toEqual([]);
    } finally {
      await fresh.drop();
    }
  });

  test("migrate --cleanup needs a yes", async () => {
    const refused = await at("migrate", "--cleanup");
    expect([refused.code, documentOf(refused)]).toEqual([
      EXIT.usage,
      { error: { code: "USAGE", message: expect.stringContaining("--yes") } },
    ]);
    expect((await at("migrate", "--cleanup", "--yes")).code).toBe(EXIT.ok);
  });

  test("doctor finds the database, its clock, settings and tables as they should be", async () => {
    const ran = await at("doctor");
    const { findings, worst, place: shown } = documentOf(ran);
    const levels = Object.fromEntries((findings as { about: string; level: string }[]).map(({ about, level }) => [about, level]));
    expect(levels).toMatchObject({ database: "ok", clock: "ok", migrations: "ok", node: "ok", packages: "ok", workers: "ok", keys: "ok" });
    // What only the application knows is not found, and said so.
    expect(levels).toMatchObject({ channels: "note", proxies: "note" });
    expect(String(shown)).not.toContain("password");
    // A PostgreSQL for tests runs without fsync.
    expect([worst, ran.code]).toEqual(isServer ? ["error", EXIT.failed] : ["note", EXIT.ok]);
  });

  test.skipIf(isServer)("doctor leaves the journal of a SQLite file as it is", async () => {
    const copy = await migrated();
    const file = copy.url.slice("sqlite:".length);
    try {
      const database = new Database(file);
      database.pragma("journal_mode = DELETE");
      database.close();
      const ran = await belfry(["doctor", "--database", copy.url, "--json"]);
      const { findings } = documentOf(ran);
      expect([ran.code, findings]).toEqual([
        EXIT.attention,
        expect.arrayContaining([expect.objectContaining({ about: "settings", remedy: expect.stringMatching(/were not looked at/) })]),
      ]);
      const after = new Database(file, { readonly: true });
      expect(after.pragma("journal_mode", { simple: true })).toBe("delete");
      after.close();
    } finally {
      await copy.drop();
    }
  });

  test("doctor tells of pauses, and of what waits for too long, with what to do", async () => {
    await service.operator.pauses.list();
    const late = new NotificationService({
      storage: storageAt(place.url),
      channels: [
        {
          name: "email",
          retryDelaysMs: [],
          timeoutMs: 1_000,
          invalidRecipient: () => null,
          deliver: async () => ({ status: "sent", provider: "x" }),
        },
      ],
      delivery: { worker: false },
      hub: { worker: false },
      clock: { now: () => Date.now() - 600_000, after: () => () => {} },
    });
    await late.create({ to: { email: "ann@example.com" }, message: "Hello" });
    await late.operator.pauses.pause({ channel: "email", actor: "bea" });
    await late.stop();
    const ran = await at("doctor");
    const messages = (documentOf(ran).findings as { message: string; remedy: string }[]).map(
      ({ message, remedy }) => `${message} ${remedy}`,
    );
    expect(messages).toContainEqual(expect.stringMatching(/^The channel email has been paused by bea since .* Resume it/));
  });

  test("doctor says that a database is out of reach, without its password", async () => {
    for (const args of [["doctor"], ["doctor", "--json"]]) {
      const { code, stdout, stderr } = await belfry([...args, "--database", unreachable]);
      expect(code).toBe(EXIT.unreachable);
      expect(stdout).toMatch(/unreachable/);
      expect(stdout + stderr).not.toContain("hunter2");
    }
  });

  test.each([["migrate"], ["partition", "--yes"], ["keys", "list"], ["send", "--to", "ann", "--title", "Hello"]])(
    "%s %s: a database out of reach ends it with 3, and shows no password",
    async (...args) => {
      const ran = await belfry([...args, "--database", unreachable]);
      expect(ran.code).toBe(EXIT.unreachable);
      expect(ran.stdout).toBe("");
      expect(ran.stderr).toMatch(/^belfry: /);
      expect(ran.stderr).not.toContain("hunter2");
    },
  );

  test("keys are made, listed without the key, and revoked", async () => {
    const made = documentOf(await at("keys", "create", "--name", "billing", "--scope", "read", "--environment", "test"));
    expect(made).toMatchObject({ name: "billing", scopes: ["read"], tenant: "default", key: expect.stringMatching(/^belfry_test_/) });
    const key = String(made.key);
    expect(await service.apiKeys.lookup(key)).toMatchObject({ tenant: "default", scopes: ["read"] });

    const listed = await at("keys", "list");
    expect(documentOf(listed).keys).toContainEqual(expect.objectContaining({ id: made.id, name: "billing", revokedAt: null }));
    expect(listed.stdout).not.toContain(key.slice(-64));
    expect(documentOf(await belfry(["keys", "list", "--tenant", "acme", "--database", place.url, "--json"])).keys).toEqual([]);

    expect((await at("keys", "revoke", String(made.id))).code).toBe(EXIT.usage);
    expect(documentOf(await at("keys", "revoke", String(made.id), "--yes"))).toEqual({ revoked: made.id });
    const [revoked] = (documentOf(await at("keys", "list")).keys as { id: string; revokedAt: string | null }[]).filter(
      ({ id }) => id === made.id,
    );
    expect(revoked?.revokedAt).not.toBeNull();
    const unknown = await at("keys", "revoke", "0".repeat(24), "--yes");
    expect([unknown.code, documentOf(unknown)]).toEqual([EXIT.failed, { error: expect.objectContaining({ code: "NOT_FOUND" }) }]);
  });

  test("send creates a notification, in the tenant and the inbox that it names", async () => {
    const args = ["send", "--to", "ann", "bob", "--title", "Hello", "--type", "note", "--data", '{"post":7}', "--priority", "high"];
    const sent = documentOf(await belfry([...args, "--tenant", "acme", "--database", place.url, "--json"]));
    expect(sent).toMatchObject({ tenant: "acme", type: "note", items: [{ userId: "ann" }, { userId: "bob" }] });
    const { items } = await service.tenant("acme").inbox("bob").list();
    expect(items).toEqual([expect.objectContaining({ id: sent.id, title: "Hello", data: { post: 7 }, priority: "high", actor: null })]);
    expect((await service.inbox("bob").counts()).total).toBe(0);
  });

  test.each([
    [["send"], /needs somebody to send to/],
    [["send", "--to", "ann", "--everyone"], /Leave out --to/],
    [["send", "--to", "ann", "--data", "{"], /--data \{ is no JSON/],
    [["send", "--to", "ann", "--data", "[1]"], /--data \[1\] is no JSON object/],
    [["send", "--to", "ann", "--priority", "loud"], /'loud' is invalid.*low, normal, high, urgent/],
    [["send", "--to", "ann", "--url", "ftp://example.com"], /url/],
    [["send", "--to", "ann", "--channel", "email"], /email/],
    [["send", "--address", "email", "--title", "x"], /--address "email" names no channel/],
    [["send", "--to", "ann", "--titel", "x"], /unknown option '--titel'.*--title/s],
    [["keys", "create"], /--name/],
    [["keys", "create", "--name", "x", "--scope", "admin"], /'admin' is invalid/],
    [["keys", "create", "--name", ""], /name/],
    [["keys", "revoke"], /missing required argument 'id'/],
    [["keys"], /A command is missing/],
    [["kyes"], /unknown command 'kyes'.*keys/s],
    [["doctor", "twice"], /too many arguments/],
    [["keys", "list", "--tenant", ""], /tenant/],
    [["keys", "list", "--actor", "bea"], /list writes down nobody who did it.*--actor/],
  ])("wrong input %j ends with 2, says what is wrong, and changes nothing", async (args, message) => {
    const before = await service.operator.count();
    const ran = await at(...args);
    expect(documentOf(ran)).toEqual({ error: { code: expect.any(String), message: expect.stringMatching(message) } });
    expect(ran.code).toBe(EXIT.usage);
    expect(await service.operator.count()).toBe(before);
  });
});

test("doctor says that DATABASE_URL is not set, where the database of an application on a server is out of reach", async () => {
  const [, { unreachable }] = KINDS;
  const remedyWith = async (env: Readonly<Record<string, string>>) =>
    (await belfryOn(idleService(unreachable), ["doctor"], { env })).stdout;
  expect(await remedyWith({})).toMatch(/^unreachable .* DATABASE_URL is not set here/m);
  expect(await remedyWith({ DATABASE_URL: unreachable })).not.toContain("DATABASE_URL");
});
