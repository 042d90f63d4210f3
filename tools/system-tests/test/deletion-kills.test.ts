import { fork } from "node:child_process";
import { once } from "node:events";
import { type Inbox, NotificationService } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createHandler, type HttpHandler } from "@belfry/core/http";
import pg from "pg";
import { describe, expect, test, vi } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { FollowingClient, itemLine } from "../../service-tests/test/inbox/following-client.ts";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { SeededRandom } from "./seeded-random.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROGRAM = bundledProgram(new URL("./processes/deleting-host.ts", import.meta.url));

const KILLS = process.env.BELFRY_LONG ? 40 : 4;
/** A process dies at one of its first statements; the first process before its job can be done. */
const MOST_STATEMENTS = 60;
const FIRST_STATEMENTS = 4;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 180_000;
const USERS = ["ann", "bob", "cat"] as const;
const ITEMS = 40;
/** So many are deleted by their number, and not one by one. */
const MANY = 1_200;
const PAGE = 1_000;
const KILLED = "belfry-killed";
const OTHERS = 30;

type Job = "delete the user" | "delete the notification" | "delete what is read" | "sweep" | "sweep everything";

/** Everything in an inbox that is not deleted. */
async function everything(inbox: Inbox) {
  const pages = [0, PAGE].flatMap((offset) =>
    [{}, { archived: true }, { snoozed: true }].map((place) => ({ ...place, offset, limit: PAGE })),
  );
  const lists = await Promise.all(pages.map((page) => inbox.list(page)));
  return lists.flatMap(({ items }) => items).toSorted((one, other) => one.seq - other.seq);
}

describe.each(DATABASES)("processes on %s that are killed while they delete", (kind) => {
  const cleanup = useCleanup();
  const random = new SeededRandom(23);

  async function prepared(itemsOfCat = ITEMS) {
    const url = await emptyDatabase(kind, cleanup);
    const open = () => {
      const service = new NotificationService({ storage: storageAt(url), delivery: { worker: false }, hub: { worker: false } });
      cleanup(() => service.stop());
      return service as unknown as NotificationService;
    };
    // It has made its answers of what was there before the deletion.
    const warm = open();
    const handler = handlerOf(warm);
    await fill(warm, itemsOfCat);
    const { notification } = await warm.create({
      to: [...USERS, ...Array.from({ length: OTHERS }, (_, index) => `other ${index}`)],
      title: "Tracked",
      idempotencyKey: "tracked",
    });
    const clients = new Map(USERS.map((userId) => [userId, new FollowingClient()]));
    /** @param erased who is told that the inbox has to be listed anew */
    const check = async (erased?: string) => {
      const cold = open();
      for (const [userId, client] of clients) {
        const items = await expectTrueCounts(cold.inbox(userId));
        await client.resume(cold.inbox(userId));
        client.drop();
        if (userId !== erased) {
          expect({ userId, lost: client.lost, lines: client.lines }).toEqual({ userId, lost: 0, lines: items.map(itemLine) });
        } else if (client.lost === 0) {
          expect(client.lines).toEqual(items.map(itemLine));
        }
        expect(await answerOf(handler, userId)).toEqual(await answerOf(handlerOf(cold), userId));
      }
      await cold.stop();
    };
    await check();
    const ended = await endOfKilled(url);
    const run = async (job: Job, settings: Readonly<Record<string, string>> = {}) => {
      const isDone = await runHost({ ...settings, DATABASE_URL: namedUrl(url), JOB: job });
      await ended();
      return isDone;
    };
    return { id: notification.id, service: warm, check, run };
  }

  /** PostgreSQL goes on with the statement of a process that died, and may commit it. Returns what waits until it has left its connections. */
  async function endOfKilled(url: string): Promise<() => Promise<void>> {
    if (kind === "SQLite") {
      return async () => {};
    }
    const client = new pg.Client(url);
    await client.connect();
    cleanup(() => client.end());
    const left = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1";
    return () =>
      vi.waitFor(async () => expect((await client.query(left, [KILLED])).rows).toEqual([]), { timeout: TIMEOUT_MS, interval: 20 });
  }

  function namedUrl(url: string): string {
    return kind === "SQLite" ? url : `${url}${url.includes("?") ? "&" : "?"}application_name=${KILLED}`;
  }

  function handlerOf(service: NotificationService): HttpHandler {
    const handler = createHandler(service, {
      contracts: [native()],
      auth: ({ headers }) => ({ kind: "user", tenant: "default", userId: headers["x-user"] ?? "" }),
    });
    cleanup(() => handler.close());
    return handler;
  }

  async function answerOf(handler: HttpHandler, userId: string): Promise<unknown> {
    const request = new Request("http://localhost/api/belfry/v1/inbox?limit=100", { headers: { "x-user": userId } });
    const answer = await handler.fetch(request);
    expect(answer.status).toBe(200);
    return await answer.json();
  }

  /** Runs a host to its end. Returns whether it ended its job. */
  async function runHost(settings: Readonly<Record<string, string>>): Promise<boolean> {
    const { PATH, NODE_COMPILE_CACHE } = process.env;
    const child = fork(PROGRAM, { env: { PATH, NODE_COMPILE_CACHE, ...settings } });
    cleanup(() => child.kill("SIGKILL"));
    let isDone = false;
    child.on("message", () => {
      isDone = true;
    });
    const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
    expect(isDone ? code : signal).toBe(isDone ? 0 : "SIGKILL");
    return isDone;
  }

  /** Kills one process after another, and looks at the inboxes after each; the last one ends the job. */
  async function killed({ check, run }: Awaited<ReturnType<typeof prepared>>, job: Job, settings: Readonly<Record<string, string>>) {
    const erased = job === "delete the user" ? settings.USER : undefined;
    let isDone = false;
    for (let kill = 0; kill < KILLS && !isDone; kill += 1) {
      const most = kill === 0 ? FIRST_STATEMENTS : MOST_STATEMENTS;
      const late = random.below(2) === 0 ? {} : { KILL_LATE: "yes" };
      isDone = await run(job, { ...settings, ...late, KILL_AT: String(1 + random.below(most)) });
      // Every job takes more statements than the first process is left.
      expect(isDone && kill === 0).toBe(false);
      await check(erased);
    }
    expect(await run(job, settings)).toBe(true);
    await check(erased);
  }

  test("the next call deletes what is left of a user", { timeout: TIMEOUT_MS }, async () => {
    const made = await prepared();
    await killed(made, "delete the user", { USER: "ann" });
    const { items } = await made.service.inbox("ann").list();
    expect(items).toEqual([]);
  });

  test("the next process goes on by itself with a notification that is being deleted", { timeout: TIMEOUT_MS }, async () => {
    const made = await prepared();
    expect(await made.run("delete the notification", { ID: made.id, KILL_AT: "40", KILL_LATE: "yes" })).toBe(false);
    await expect(made.service.get(made.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await made.check();
    await killed(made, "sweep", {});
    for (const userId of USERS) {
      expect((await everything(made.service.inbox(userId))).filter(({ title }) => title === "Tracked")).toEqual([]);
    }
  });

  test("what is read is deleted up to where the process died, and the next call deletes the rest", { timeout: TIMEOUT_MS }, async () => {
    const made = await prepared();
    await killed(made, "delete what is read", { USER: "bob" });
    const { items } = await made.service.inbox("bob").list({ limit: 1_000 });
    expect(items.filter(({ readAt }) => readAt !== null)).toEqual([]);
  });

  test("the next sweep goes on with the rows of what was deleted at once", { timeout: TIMEOUT_MS }, async () => {
    const made = await prepared(MANY);
    expect(await made.service.inbox("cat").removeRead()).toBeGreaterThan(1_000);
    await killed(made, "sweep", {});
  });

  test("the next sweep removes what is older than it is kept", { timeout: TIMEOUT_MS }, async () => {
    const made = await prepared();
    await killed(made, "sweep everything", {});
  });
});

/** Fills the inboxes with items in all states: read and unread again, in groups, archived, and pinned. */
async function fill(service: NotificationService, itemsOfCat: number): Promise<void> {
  for (let index = 0; index < ITEMS; index += 1) {
    const group = index % 4 === 0 ? { group: `group ${index % 8}` } : {};
    await service.create({ to: index % 3 === 0 ? ["ann", "bob"] : index % 3 === 1 ? "ann" : "bob", title: `Item ${index}`, ...group });
  }
  const createForCat = (many: number) =>
    Promise.all(Array.from({ length: many }, (_, index) => service.create({ to: "cat", title: `Item ${index}` })));
  await createForCat(itemsOfCat);
  await service.inbox("cat").markAllRead();
  await createForCat(ITEMS);
  for (const userId of ["ann", "bob"]) {
    const inbox = service.inbox(userId);
    const refs = (numbers: readonly number[]) => numbers.map((seq) => ({ seq }));
    await inbox.markAllRead({ upTo: Math.floor((await inbox.counts()).lastSeq * 0.75) });
    await inbox.markMany(refs([2, 7]), "unread");
    await inbox.markMany(refs([3, 20]), "archived");
    await inbox.markMany(refs([5]), "pinned");
  }
}

/** Checks that the counts of an inbox and of its groups are those of its items, and returns the items. */
async function expectTrueCounts(inbox: Inbox) {
  const items = await everything(inbox);
  const active = items.filter(({ archivedAt, snoozedUntil }) => archivedAt === null && snoozedUntil === null);
  const recount = (some: typeof items) => ({ total: some.length, unread: some.filter(({ readAt }) => readAt === null).length });
  const unseen = active.filter(({ isSeen }) => !isSeen).length;
  expect(await inbox.counts()).toMatchObject({ ...recount(active), unseen });
  const { groups } = await inbox.groups({ limit: 100 });
  const counted = new Map(groups.map(({ group, total, unread }) => [group, { total, unread }]));
  const grouped = Map.groupBy(
    active.filter(({ group }) => group !== null),
    ({ group }) => group as string,
  );
  expect(counted).toEqual(new Map([...grouped].map(([group, own]) => [group, recount(own)])));
  return items;
}
