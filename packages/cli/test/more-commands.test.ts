import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { BelfryError, type Channel, NotificationService } from "@belfry/core";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { reportOf } from "../src/failure.ts";
import { EXIT } from "../src/index.ts";
import { belfry, belfryOn, directory, documentOf, idleService, KINDS, type Place, storageAt } from "./setup.ts";

let isUp = false;
const mail: Channel = {
  name: "email",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () =>
    isUp ? { status: "sent", provider: "smtp" } : { status: "failed", transient: false, error: "554 out of order", provider: "smtp" },
};

const lines = (text: string) => text.split("\n").filter((line) => line !== "");
const parsed = (text: string) => lines(text).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

describe.each(KINDS)("on $kind", ({ kind, migrated }) => {
  let place: Place;
  let service: NotificationService;
  const at = (...args: string[]) => belfry([...args, "--database", place.url, "--json"]);

  beforeAll(async () => {
    place = await migrated();
    service = new NotificationService({ storage: storageAt(place.url), channels: [mail] });
  });
  afterAll(async () => {
    await service.stop();
    await place.drop();
  });

  test("export-user writes a line for each record, to stdout or into a new file, and the audit log names who asked", async () => {
    await service.create({ to: ["ann", "bob"], title: "Lunch" });
    const args = ["export-user", "ann", "--actor", "support"];
    const exported = await at(...args);
    expect(exported.code).toBe(EXIT.ok);
    expect(parsed(exported.stdout)).toContainEqual(expect.objectContaining({ record: "item", title: "Lunch" }));

    const { path, remove } = await directory();
    try {
      const out = join(path, "ann.jsonl");
      const written = documentOf(await at(...args, "--out", out));
      const records = lines(await readFile(out, "utf8"));
      expect(written).toEqual({ user: "ann", file: out, records: records.length });
      const before = await readFile(out, "utf8");
      const again = await at(...args, "--out", out);
      expect([again.code, again.stdout]).toEqual([EXIT.usage, expect.stringContaining("is there already")]);
      expect(await readFile(out, "utf8")).toBe(before);
      // However the export ends, it removes nothing that it did not make.
      expect((await belfry([...args, "--out", out, "--database", place.url], { signal: AbortSignal.abort() })).code).toBe(EXIT.usage);
      expect(await readFile(out, "utf8")).toBe(before);
      const fresh = join(path, "fresh.jsonl");
      const ended = await belfry([...args, "--out", fresh, "--database", place.url], { signal: AbortSignal.abort() });
      expect([ended.code, existsSync(fresh)]).toEqual([EXIT.interrupted, false]);
      expect((await at(...args, "--out", join(path, "missing", "ann.jsonl"))).code).toBe(EXIT.failed);
    } finally {
      await remove();
    }
    expect(await service.operator.auditLog({ actor: "support" })).toContainEqual(expect.objectContaining({ action: "user_exported" }));
  });

  test("delete-user needs a yes, and removes the user's data and nobody else's", async () => {
    await service.create({ to: ["cat", "dan"], title: "Hello" });
    const refused = await at("delete-user", "cat");
    expect([refused.code, (await service.inbox("cat").counts()).total]).toEqual([EXIT.usage, 1]);
    const done = documentOf(await at("delete-user", "cat", "--yes"));
    expect(done).toMatchObject({ user: "cat", removed: expect.any(Number) });
    expect([(await service.inbox("cat").counts()).total, (await service.inbox("dan").counts()).total]).toEqual([0, 1]);
  });

  test("retention shows what is kept, and removes what is older", async () => {
    expect(documentOf(await at("retention", "show"))).toEqual({ retention: {} });
    const swept = documentOf(await at("retention", "run", "--yes"));
    expect(swept.removed).toMatchObject({ items: 0, deliveries: 0 });
    expect((await at("retention", "run")).code).toBe(EXIT.usage);
  });

  test("partition needs a yes on PostgreSQL, and may be repeated; SQLite has nothing to partition", async () => {
    const isPostgres = kind === "PostgreSQL";
    expect((await at("partition")).code).toBe(isPostgres ? EXIT.usage : EXIT.ok);
    for (const more of [[], ["--deliveries", "2000"]]) {
      const done = await at("partition", "--yes", ...more);
      expect([done.code, documentOf(done)]).toEqual([EXIT.ok, { place: service.database.place, partitioned: isPostgres }]);
    }
    expect([service.database.supportsPartitions, await service.database.partition()]).toEqual([isPostgres, isPostgres]);
  });

  test.each(["999", "1e6", "-1000", "many", "99999999999"])("partition refuses --deliveries %s, and says what it takes", async (count) => {
    const ran = await at("partition", "--yes", `--deliveries=${count}`);
    expect([ran.code, documentOf(ran).error]).toEqual([
      EXIT.usage,
      { code: "USAGE", message: `--deliveries "${count}" is no whole number from 1000 to 999999999.` },
    ]);
  });

  test("tail tells what comes and what changes, until Ctrl-C", async () => {
    await service.create({ to: "eve", title: "Old" });
    const ctrlC = new AbortController();
    const told: string[] = [];
    let step = 0;
    const onOutput = (text: string) => {
      told.push(text);
      // Each line that it tells leads to the next step.
      const steps = [
        () => service.create({ to: "eve", title: "New \u001b[31mone" }),
        async () => service.inbox("eve").markRead((await service.inbox("eve").list()).items[0]?.id ?? ""),
        async () => ctrlC.abort(),
      ];
      void steps[step++]?.();
    };
    const args = ["tail", "--user", "eve", "--last", "1", "--every", "100", "--json"];
    const ran = await belfryOn(idleService(place.url), args, { signal: ctrlC.signal, onOutput });
    expect(ran.code).toBe(EXIT.ok);
    expect(parsed(ran.stdout).map(({ title, readAt }) => [title, readAt === null])).toEqual([
      ["Old", true],
      ["New \u001b[31mone", true],
      ["New \u001b[31mone", false],
    ]);
  });

  test("tail tells nothing old as new because something newer is gone", async () => {
    const inbox = service.inbox("ivy");
    for (let index = 0; index <= 100; index += 1) {
      await service.create({ to: "ivy", title: `${index}` });
    }
    const ctrlC = new AbortController();
    let hasBegun = false;
    const onOutput = (text: string) => {
      if (text.includes('"Fresh"')) {
        ctrlC.abort();
      } else if (!hasBegun) {
        hasBegun = true;
        void (async () => {
          for (const { id } of (await inbox.list({ limit: 2 })).items) {
            await inbox.archive(id);
          }
          await service.create({ to: "ivy", title: "Fresh" });
        })();
      }
    };
    const args = ["tail", "--user", "ivy", "--last", "1", "--every", "100", "--json"];
    const ran = await belfryOn(idleService(place.url), args, { signal: ctrlC.signal, onOutput });
    expect(parsed(ran.stdout).map(({ title }) => title)).toEqual(["100", "Fresh"]);
  });

  test("tail shows deliveries of all, and no terminal obeys what their titles say", async () => {
    const ctrlC = new AbortController();
    const onOutput = (text: string) => text.includes("Beware") && ctrlC.abort();
    await service.create({ to: "eve", title: "Beware\u001b]0;x\u0007" });
    const ran = await belfry(["tail", "--last", "1", "--every", "100", "--database", place.url], { signal: ctrlC.signal, onOutput });
    expect(ran.stdout).toMatch(/message .* to eve/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    expect(ran.stdout).not.toMatch(/[\u001b\u0007]/);
  });

  test("retry tries again what matches, in a run that Ctrl-C pauses and --resume goes on with", async () => {
    isUp = false;
    for (const to of ["ann@example.com", "bob@example.com"]) {
      await service.create({ to: { email: to }, message: "Hello" });
    }
    await service.runDue();
    expect(documentOf(await at("retry", "--channel", "email", "--dry-run"))).toEqual({ matched: 2 });
    expect((await at("retry", "--channel", "email")).code).toBe(EXIT.usage);

    // The service may hear of what is tried again, and begin at once.
    isUp = true;
    const done = documentOf(await at("retry", "--channel", "email", "--from", "1h", "--yes"));
    expect(done).toMatchObject({ state: "finished", matched: 2, retried: 2, actor: "cli" });
    await service.runDue();
    expect(await service.operator.countRetryable({ channel: "email" })).toBe(0);
    expect((documentOf(await at("retry", "--list")).runs as { id: string }[]).map(({ id }) => id)).toContain(done.id);
  });

  test("Ctrl-C pauses a retry, and --resume goes on with it until all are tried again", async () => {
    isUp = false;
    const recipients = Array.from({ length: 12 }, (_, index) => `eve-${index}@example.com`);
    await Promise.all(recipients.map((to) => service.create({ to: { email: to }, message: "Hello" })));
    await service.runDue();
    // What is tried again goes out, and does not fail a second time.
    isUp = true;
    const ran = await belfry(["retry", "--yes", "--database", place.url, "--json"], { signal: AbortSignal.abort() });
    const run = documentOf(ran);
    // It may have been through before anybody could pause it.
    expect([run.state, ran.code]).toEqual(run.state === "paused" ? ["paused", EXIT.interrupted] : ["finished", EXIT.ok]);
    const ended = run.state === "paused" ? documentOf(await at("retry", "--resume", String(run.id))) : run;
    expect(ended).toMatchObject({ id: run.id, state: "finished", matched: 12 });
    // A send that was tried again at the moment of the pause is not counted a second time.
    expect(await service.operator.countRetryable({ channel: "email" })).toBe(0);
    const cancelled = await at("retry", "--cancel", String(run.id));
    expect([cancelled.code, documentOf(cancelled)]).toEqual([EXIT.failed, { error: expect.objectContaining({ code: "INVALID_STATE" }) }]);
    await service.runDue();
  });

  test.each([
    [["retry", "--from", "yesterday"], /--from "yesterday" is no time/],
    [["retry", "--list", "--dry-run"], /do different things/],
    [["retry", "--list", "--channel", "email"], /take no filter/],
    [["retention"], /A command is missing/],
    [["export-user"], /missing required argument 'user'/],
    [["export-user", ""], /user_id/],
    [["delete-user", "a\u0000b", "--yes"], /user_id/],
    [["tail", "--every", "1"], /--every "1" is no whole number from 100 to 60000/],
    [["tail", "--last", "-1"], /--last/],
    [["tail", "--user", "eve"], /Export your service from belfry\.config\.ts/],
    [["tail", "--user", "eve", "--channel", "email"], /Give one of them/],
    [["tail", "--actor", "bea"], /tail writes down nobody who did it/],
  ])("wrong input %j ends with 2, and says what is wrong", async (args, message) => {
    const ran = await at(...args);
    expect(documentOf(ran)).toEqual({ error: { code: expect.any(String), message: expect.stringMatching(message) } });
    expect(ran.code).toBe(EXIT.usage);
  });

  test("a run that is not there is a failure", async () => {
    const ran = await at("retry", "--resume", "01890000-0000-7000-8000-000000000000");
    expect([ran.code, documentOf(ran)]).toEqual([EXIT.failed, { error: expect.objectContaining({ code: "NOT_FOUND" }) }]);
  });
});

test.each(["paused", "cancelled"] as const)("a retry run that somebody else %s ends with 4, and says so", async (state) => {
  const begun = { id: "7", filter: {}, actor: "cli", matched: 10_000, looked: 5, retried: 4, createdAt: new Date(0), endedAt: null };
  const operator = {
    countRetryable: async () => 10_000,
    retries: { start: async () => ({ ...begun, state: "running" }), get: async () => ({ ...begun, state }) },
  };
  const tenant = { tenantId: "default", operator };
  const migrations = async () => ({ known: 1, newest: 1, hasTables: true, pending: [] });
  const nothing = async () => {};
  const service = { tenant: () => tenant, defaultTenant: tenant, apiKeys: {}, database: { place: "here", migrations }, retention: {} };
  const config = { ...service, sweep: nothing, start: nothing, stop: nothing };
  const ran = await belfryOn(config, ["retry", "--yes"]);
  expect([ran.code, ran.stdout]).toEqual([EXIT.attention, expect.stringMatching(`was ${state} elsewhere.*4 of 10,000 or more sends`)]);
});

test("only a database that is out of reach ends a command with 3", () => {
  const codeOf = (code: "STORAGE_UNAVAILABLE" | "STORAGE_FAILED") => reportOf(new BelfryError(code, "no")).exitCode;
  expect([codeOf("STORAGE_UNAVAILABLE"), codeOf("STORAGE_FAILED")]).toEqual([EXIT.unreachable, EXIT.failed]);
});

describe("at a terminal", () => {
  test("a yes goes on, and a no changes nothing", async () => {
    const { path, remove } = await directory();
    try {
      const database = `sqlite:${join(path, "app.db")}`;
      await belfry(["migrate", "--database", database]);
      await belfry(["send", "--to", "ann", "--title", "Hello", "--database", database]);
      const no = await belfry(["delete-user", "ann", "--database", database], { types: "n" });
      expect([no.code, no.stdout]).toEqual([EXIT.interrupted, ""]);
      expect(no.stderr).toMatch(/Remove all data of "ann"/);
      const yes = await belfry(["delete-user", "ann", "--database", database], { types: "y" });
      expect([yes.code, yes.stdout]).toEqual([EXIT.ok, expect.stringMatching(/^Removed \d+ rows of ann\.\n$/)]);
    } finally {
      await remove();
    }
  });
});

test("partition makes partitions on PostgreSQL, unless something of the host's depends on the table: then it names it and changes nothing", async () => {
  const place = await migratedPostgres();
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  const parts = async () => {
    const { rows } = await client.query<{ parts: number }>(
      "SELECT count(*)::int AS parts FROM pg_inherits WHERE inhparent = 'belfry_delivery_attempts'::regclass",
    );
    return rows[0]?.parts;
  };
  const partition = () => belfry(["partition", "--yes", "--json", "--database", place.url]);
  try {
    await client.query("CREATE VIEW my_attempts AS SELECT count(*) FROM belfry_delivery_attempts");
    const refused = await partition();
    expect([refused.code, await parts()]).toEqual([EXIT.usage, 0]);
    expect(documentOf(refused).error).toMatchObject({ code: "CONFIGURATION", message: expect.stringContaining("my_attempts") });
    await client.query("DROP VIEW my_attempts");
    expect((await partition()).code).toBe(EXIT.ok);
    expect(await parts()).toBe(2);
  } finally {
    await client.end();
    await place.drop();
  }
});
