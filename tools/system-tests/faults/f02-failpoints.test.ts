import { describe, expect, test } from "vitest";
import { type DATABASES, databaseWithoutTables } from "../test/either-database.ts";
import { storageAt } from "../test/storage-at.ts";
import { Cleanups, useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { FAILPOINTS, type Failpoint, TRIGGERS } from "./parts/failpoints.ts";
import { databasesOf, note, scaled } from "./parts/run.ts";
import { waitingTrigger } from "./parts/waiting-trigger.ts";

const WHILE_READING: Failpoint = "while the provider reads";
const ROUNDS = scaled(1, 3);
/** How many of them run at once: most of the time they wait for a lease to run out. */
const AT_ONCE = 6;

/** No attempt may run out of time, however busy the machine: one that does is repeated, and the test counts them exactly. */
const LIMITS = { attemptMs: 60_000, leaseMs: 121_000 };
/** On PostgreSQL, the successor waits for what the killed process had in hand. No other process could take that over before the kill. */
const DYING_LEASE_MS = 8_200;

/** A mail's state: how many exist, attempts begun, whether a worker holds it, whether it has ended, and how often it arrived. */
interface State {
  readonly rows: number;
  readonly attempt: number;
  readonly isLeased: boolean;
  readonly isSettled: boolean;
  readonly receipts: number;
}

const ABSENT: State = { rows: 0, attempt: 0, isLeased: false, isSettled: false, receipts: 0 };
const STORED: State = { ...ABSENT, rows: 1 };
const CLAIMED: State = { ...STORED, attempt: 1, isLeased: true };
const TAKEN: State = { ...CLAIMED, receipts: 1 };
const ENDED: State = { ...STORED, attempt: 1, isSettled: true, receipts: 1 };

/** The exact state after the kill, by the point; the middle of a migration leaves no tables. */
const AFTER_KILL: Readonly<Record<Failpoint, State | "no tables">> = {
  "mid-migration": "no tables",
  "before the insert": ABSENT,
  "in the insert": ABSENT,
  "after the insert": STORED,
  "before the claim": STORED,
  "in the claim": STORED,
  "after the claim": CLAIMED,
  "while the provider reads": CLAIMED,
  "after the provider's answer": TAKEN,
  "before the completion": TAKEN,
  "in the completion": TAKEN,
  "after the completion": ENDED,
};

async function stateOf({ database, ledger }: Arena): Promise<State | "no tables"> {
  const rows = await database.deliveries().catch((error: unknown) => {
    // SQLite and PostgreSQL say so in different words.
    expect(String(error)).toMatch(/no such table|does not exist/);
    return null;
  });
  const [row] = rows ?? [];
  const receipts = ledger.lines().filter(({ what }) => what === "receipt").length;
  const { attempt = 0, isLeased = false, isSettled = false } = row ?? {};
  return rows === null ? "no tables" : { rows: rows.length, attempt, isLeased, isSettled, receipts };
}

/** Starts a process that dies at the point, asks it for a mail, and resolves once it is dead, with the client's requests. */
async function dieAt(point: Failpoint, one: Arena): Promise<{ readonly load: Promise<void> | null }> {
  const trigger = one.options.kind === "PostgreSQL" ? TRIGGERS[point] : undefined;
  const wait = trigger === undefined ? null : await waitingTrigger(one.url, trigger);
  const dying = one.spawn({ failpoint: point, leaseMs: DYING_LEASE_MS });
  let load: Promise<void> | null = null;
  if (point !== "mid-migration") {
    await dying.ready();
    one.victims.push(dying);
    load = one.creates.run(one.jobs(1, ["email"]), 1);
  }
  if (wait !== null) {
    await wait.reached();
    dying.child.kill("SIGKILL");
  } else if (point === WHILE_READING) {
    await expect.poll(() => one.mail.offered(), { timeout: 60_000, interval: 20 }).toBe(1);
    dying.child.kill("SIGKILL");
  }
  await dying.exited;
  await wait?.end();
  expect(dying.child.signalCode, dying.output).toBe("SIGKILL");
  one.victims.length = 0;
  return { load };
}

type Cleanup = (task: () => unknown) => void;

/** Kills a process at the point, with one mail on its way, and checks what it left and what its successor makes of it. */
async function killAt(point: Failpoint, kind: (typeof DATABASES)[number], cleanup: Cleanup): Promise<number> {
  const one = await arena(
    {
      fault: "F2",
      kind,
      ...(point === "mid-migration" ? { url: await databaseWithoutTables(kind, cleanup) } : {}),
      victim: LIMITS,
      mail: (_, count) => (point === WHILE_READING && count === 1 ? "hang" : "take"),
    },
    cleanup,
  );
  if (point !== "mid-migration") {
    // A trigger can be planted before the process under test starts.
    const storage = storageAt(one.url);
    await storage.open();
    await storage.close();
  }
  const { load } = await dieAt(point, one);
  const found = await stateOf(one);
  expect({ point, found }).toEqual({ point, found: AFTER_KILL[point] });

  await one.start();
  // The client repeats its request with the same key until it is accepted.
  await (load ?? one.creates.run(one.jobs(1, ["email"]), 1));
  const verdict = await one.expectSound();
  const attempts = (await one.database.attempts()).map(({ status }) => status);
  const wasInHand = typeof found === "object" && found.isLeased;
  expect({ point, attempts }).toEqual({ point, attempts: wasInHand ? ["unknown", "sent"] : ["sent"] });
  expect({ point, receipts: verdict.receipts }).toEqual({ point, receipts: wasInHand ? found.receipts + 1 : 1 });
  return verdict.duplicates;
}

describe.each(databasesOf(2))("F2 %s: a process is killed at each of twelve points", (kind) => {
  const cleanup = useCleanup();

  test("each leaves the exact state that is expected, from which its successor goes on", async () => {
    const left = Array.from({ length: ROUNDS }, () => FAILPOINTS)
      .flat()
      .values();
    const repeated: number[] = [];
    const lane = async () => {
      for (const point of left) {
        // Dozens of processes and databases would otherwise stay until the end.
        const own = new Cleanups();
        cleanup(own.run);
        repeated.push(await killAt(point, kind, own.add));
        await own.run();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
    // Only what the provider had taken before the kill came twice.
    const [kills, duplicates] = [repeated.length, repeated.filter((count) => count === 1).length];
    expect({ kills, duplicates }).toEqual({ kills: ROUNDS * FAILPOINTS.length, duplicates: ROUNDS * 3 });
    note(`F2 ${kind}`, { kills, duplicates });
  });
});
