import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Channel, NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { bundledProgram } from "../../../test/bundled-program.ts";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const PROGRAM = bundledProgram(new URL("./processes/broadcast-host.ts", import.meta.url));
const USERS = process.env.BELFRY_LONG ? 20_000 : 300;
const FOLLOWED = 40;
const NEWS = 30;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 180_000;
const WAIT = { timeout: TIMEOUT_MS, interval: 20 };
const EVERYONE = { to: "everyone", title: "For everyone" } as const;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** As the hosts have it; nothing is delivered here. */
const channel: Channel = {
  ...{ name: "ledger", timeoutMs: 1_000, retryDelaysMs: [] },
  invalidRecipient: (recipient) => (recipient.startsWith("to:") ? null : "is no address"),
  deliver: async () => ({ status: "failed", transient: false, error: "is not for here", provider: "none" }),
};

describe.each(DATABASES)("processes on %s that are killed while they place broadcasts and page users", (kind) => {
  const cleanup = useCleanup();

  async function prepared() {
    const url = await emptyDatabase(kind, cleanup);
    const directory = mkdtempSync(join(tmpdir(), "belfry-ledger-"));
    cleanup(() => rmSync(directory, { recursive: true }));
    const ledger = join(directory, "ledger");
    writeFileSync(ledger, "");
    const lines = (what: string) =>
      readFileSync(ledger, "utf8")
        .split("\n")
        .filter((line) => line.startsWith(`${what} `));
    const start = (diesAt = "") => {
      const env = {
        PATH: process.env.PATH,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        DATABASE_URL: url,
        LEDGER: ledger,
        USERS: String(USERS),
        FOLLOWED: String(FOLLOWED),
        DIES_AT: diesAt,
      };
      const child = fork(PROGRAM, { env });
      const exited = once(child, "exit");
      cleanup(() => kill(child, exited));
      return { child, exited };
    };
    /** A service of this process, which pages nobody and delivers nothing. */
    const service = (everyone?: () => Promise<never>) => {
      const contacts = () => new Map();
      const options = { storage: storageAt(url), logger: silent, channels: [channel], delivery: { worker: false } };
      const own = new NotificationService({
        ...options,
        directory: everyone === undefined ? contacts : Object.assign(contacts, { everyone }),
      });
      cleanup(() => own.stop());
      return own;
    };
    return { lines, start, service };
  }

  async function kill(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
    child.kill("SIGKILL");
    await exited;
  }

  test("each user gets one delivery of each broadcast, and each inbox has each once", { timeout: TIMEOUT_MS }, async () => {
    const { lines, start, service } = await prepared();
    // It reads no page: the stop gives the first one back.
    const creator = service(() => new Promise<never>(() => {}));
    for (let user = 0; user < FOLLOWED; user += 1) {
      await creator.inbox(`user ${user}`).counts();
    }
    const { notification } = await creator.create({ ...EVERYONE, message: "Hello", channels: ["inbox", "ledger"] });
    await creator.stop();
    const ids = [notification.id];
    const own = service();
    const create = async () => void ids.push((await own.create(EVERYONE)).notification.id);

    // The first one dies within its fourth page.
    const first = start("150");
    await expect.poll(() => lines("page").length, WAIT).toBeGreaterThanOrEqual(4);
    await first.exited;
    for (let number = 0; number < NEWS; number += 1) {
      await create();
    }
    // The second one, while it writes, delivers and places what the first one left.
    const second = start();
    await expect.poll(() => lines("sent").length, WAIT).toBeGreaterThan(USERS / 2);
    for (let number = 0; number < NEWS; number += 1) {
      await create();
    }
    await kill(second.child, second.exited);
    const third = start();
    await expect.poll(async () => (await own.get(notification.id)).status, { ...WAIT, interval: 200 }).toBe("sent");
    third.child.disconnect();
    await third.exited;

    const users = Array.from({ length: USERS }, (_, index) => `user ${index}`);
    const named: string[] = [];
    for (let offset = 0; named.length === offset; offset += 1_000) {
      const { deliveries } = await own.deliveries(notification.id, { offset, limit: 1_000 });
      named.push(...deliveries.map(({ recipient, status }) => `${recipient} ${status}`));
    }
    expect(named.toSorted()).toEqual(users.map((user) => `${user} sent`).toSorted());
    // An attempt under way at a kill may be repeated, with the id that it had.
    expect(new Set(lines("sent")).size).toBe(USERS);
    for (const user of users.slice(0, FOLLOWED)) {
      const inbox = own.inbox(user);
      await inbox.counts();
      const { items, counts } = await inbox.list({ limit: 1_000 });
      const found = items.toSorted((one, other) => one.seq - other.seq);
      expect([user, found.map(({ id }) => id), found.map(({ seq }) => seq)]).toEqual([user, ids, ids.map((_, index) => index + 1)]);
      expect(counts).toMatchObject({ total: ids.length, unread: ids.length, lastSeq: ids.length });
    }
  });
});
