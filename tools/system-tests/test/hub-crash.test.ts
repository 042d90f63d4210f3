import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NotificationService, type ProcessingRecord } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { DATABASES, emptyDatabase } from "./either-database.ts";
import { type LedgerLine, ProcessingHost, readLedger } from "./processing-host.ts";
import { SeededRandom } from "./seeded-random.ts";
import { storageAt } from "./storage-at.ts";
import { useCleanup } from "./use-cleanup.ts";

const EVENTS = process.env.BELFRY_LONG ? 2_000 : 80;
const HANDLERS = 5;
const KILLS = process.env.BELFRY_LONG ? 30 : 2;
const CONCURRENCY = 10;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 120_000;
const WAIT = { timeout: TIMEOUT_MS, interval: 20 };
const SOURCE = "monitoring";

describe.each(DATABASES)("processes on %s that are killed while they run handlers", (kind) => {
  const cleanup = useCleanup();
  /** On SQLite, one process at a time runs handlers. */
  const hosts = kind === "SQLite" ? 1 : 2;

  async function prepared(handlers: number) {
    const url = await emptyDatabase(kind, cleanup);
    const directory = mkdtempSync(join(tmpdir(), "belfry-ledger-"));
    cleanup(() => rmSync(directory, { recursive: true }));
    const ledger = join(directory, "ledger");
    writeFileSync(ledger, "");
    const service = new NotificationService({ storage: storageAt(url), hub: { worker: false } });
    cleanup(() => service.stop());
    for (let number = 0; number < handlers; number += 1) {
      await service.hub.handlers.create({ source: SOURCE, prompt: `prompt ${number}` });
    }
    const create = async (contents: readonly string[]) => {
      const made = await Promise.all(contents.map((content) => service.hub.events.create({ source: SOURCE, sender: "db-1", content })));
      return made.map(({ id }) => id);
    };
    const recordsOf = async (ids: readonly string[]) => (await Promise.all(ids.map((id) => service.hub.events.records(id)))).flat();
    const start = (more: { readonly concurrency: number; readonly attempts: number }) => {
      const host = new ProcessingHost({ url, ledger, ...more });
      cleanup(() => host.kill());
      return host;
    };
    return { ledger: () => readLedger(ledger), create, recordsOf, start };
  }

  /** Resolves with all records once each of them has ended. */
  async function settled(recordsOf: () => Promise<readonly ProcessingRecord[]>): Promise<readonly ProcessingRecord[]> {
    let records: readonly ProcessingRecord[] = [];
    await expect
      .poll(
        async () => {
          records = await recordsOf();
          return records.filter(({ completedAt }) => completedAt === null).length;
        },
        { ...WAIT, interval: 200 },
      )
      .toBe(0);
    return records;
  }

  /** Checks that no attempt was made twice, that none began after its record had ended, and that each record ended once. */
  function expectOnce(ledger: readonly LedgerLine[]): void {
    const begun = ledger.filter(({ what }) => what === "begin").map(({ recordId, attempt }) => `${recordId} ${attempt}`);
    expect(new Set(begun).size).toBe(begun.length);
    const ended = new Set<string>();
    for (const { what, recordId } of ledger) {
      expect([what, recordId, ended.has(recordId)]).toEqual([what, recordId, false]);
      if (what === "settled") {
        ended.add(recordId);
      }
    }
  }

  test(`after ${KILLS} kills every record has ended, none twice`, { timeout: TIMEOUT_MS }, async () => {
    const { ledger, create, recordsOf, start } = await prepared(HANDLERS);
    const ids = await create(Array.from({ length: EVENTS }, (_, number) => `event ${number}`));
    const random = new SeededRandom(KILLS);
    const options = { concurrency: CONCURRENCY, attempts: KILLS + 20 };
    const running = Array.from({ length: hosts }, () => start(options));
    const begun = () => ledger().filter(({ what }) => what === "begin").length;
    const total = EVENTS * HANDLERS;
    for (let kill = 0; kill < KILLS; kill += 1) {
      // This kills it in the middle of its work, at another point each time.
      const until = Math.min(begun() + 1 + random.below(Math.floor(total / KILLS / 2)), total - 1);
      await expect.poll(begun, WAIT).toBeGreaterThanOrEqual(until);
      await running[kill % hosts]?.kill();
      running[kill % hosts] = start(options);
    }
    const records = await settled(() => recordsOf(ids));
    await Promise.all(running.map((host) => host.stop()));
    expect(records).toHaveLength(total);
    expect(new Set(records.map(({ notificationId, handlerId }) => `${notificationId} ${handlerId}`)).size).toBe(total);
    expect(records.filter(({ status, result, attempt }) => status !== "COMPLETED" || result !== `attempt ${attempt}`)).toEqual([]);
    expectOnce(ledger());
    // Only the attempts under way at a kill were repeated, with those that waited to be recorded: together less than twice as many.
    expect(begun() - total).toBeLessThan(KILLS * 2 * CONCURRENCY);
  });

  test("an event that kills each process that runs it fails after its attempts; the others complete", { timeout: TIMEOUT_MS }, async () => {
    const { ledger, create, recordsOf, start } = await prepared(2);
    const harmless = await create(["one", "two", "three"]);
    const [deadly = ""] = await create(["deadly"]);
    const others = await create(["four", "five"]);
    const attempts = 2;
    // Each process runs one record at a time, so a kill ends no other record's attempt.
    const startOne = () => start({ concurrency: 1, attempts });
    let running = startOne();
    let isOver = false;
    const supervise = async () => {
      while (!isOver) {
        await running.exited;
        running = isOver ? running : startOne();
      }
    };
    const supervised = supervise();
    const records = await settled(() => recordsOf([...harmless, deadly, ...others]));
    isOver = true;
    await running.stop();
    await supervised;
    const byEvent = Map.groupBy(records, ({ notificationId }) => notificationId);
    for (const id of [...harmless, ...others]) {
      expect(byEvent.get(id)?.map(({ status }) => status)).toEqual(["COMPLETED", "COMPLETED"]);
    }
    expect(byEvent.get(deadly)?.map(({ status, attempt }) => [status, attempt])).toEqual([
      ["FAILED", attempts],
      ["FAILED", attempts],
    ]);
    expect(byEvent.get(deadly)?.every(({ error, result }) => error !== null && result === null)).toBe(true);
    expectOnce(ledger());
  });
});
