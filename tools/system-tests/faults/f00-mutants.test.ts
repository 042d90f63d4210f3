import { NotificationService, uuidV7 } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { DATABASES } from "../test/either-database.ts";
import { storageAt } from "../test/storage-at.ts";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, type ArenaOptions, arena } from "./parts/arena.ts";
import type { Mutant } from "./parts/mutants.ts";
import { judge } from "./parts/oracle.ts";
import { databasesOf, IS_WHOLE, note } from "./parts/run.ts";
import type { HookAnswer } from "./parts/sinks.ts";
import type { VictimOptions } from "./parts/victim.ts";

const WAIT = { timeout: 60_000, interval: 20 };
const HOUR_MS = 3_600_000;

/** How long a resumed process has to record an end that no longer counts. */
const RECORD_MS = 10_000;
/** How long to wait for frames that a mutant never sends. */
const FRAMES_MS = 3_000;

/** Lets something happen to an installation, whose first process may have a mutant, that a sound one comes through. */
type Scene = (one: Arena, mutant: Partial<VictimOptions>) => Promise<void>;

/** A process dies right after the provider has taken a mail. */
async function killAfterSend(one: Arena, mutant: Partial<VictimOptions>): Promise<void> {
  const dying = await one.start(mutant);
  await one.creates.run(one.jobs(1, ["email"]), 1);
  // The mutant sends a mail again and again: a look may come after several. The oracle counts them.
  await expect.poll(() => one.ledger.lines().filter(({ what }) => what === "receipt").length, WAIT).toBeGreaterThanOrEqual(1);
  await one.replace(dying);
}

/** A process dies right after it has accepted a mail. */
async function killAfterAnswer(one: Arena, mutant: Partial<VictimOptions>): Promise<void> {
  const dying = await one.start(mutant);
  await one.creates.run(one.jobs(1, ["email"]), 1);
  await one.replace(dying);
}

/** A process is stopped in the middle of an attempt until another one has taken the webhook over, and hears then that it was refused. */
async function stopPastLease(one: Arena, mutant: Partial<VictimOptions>): Promise<void> {
  const stopped = await one.start(mutant);
  await one.creates.run(one.jobs(1, ["webhook"]), 1);
  await expect.poll(() => one.hook.offered(), WAIT).toBe(1);
  stopped.child.kill("SIGSTOP");
  await one.start();
  await expect.poll(() => one.hook.offered(), WAIT).toBe(2);
  stopped.child.kill("SIGCONT");
}

/** Another instance, whose clock is behind, writes into an inbox after this one did. */
async function writeFromBehind(one: Arena, mutant: Partial<VictimOptions>): Promise<void> {
  await one.start(mutant);
  await one.follow();
  const clock = { now: () => Date.now() - HOUR_MS, after: () => () => {} };
  const behind = new NotificationService({
    storage: storageAt(one.url),
    ids: uuidV7(clock),
    delivery: { worker: false },
    hub: { worker: false },
  });
  for (let number = 0; number < 3; number += 1) {
    const job = one.job("websocket", number);
    await one.creates.run([job].values(), 1);
    // Were they read together, their order would not matter.
    await one.followers[0]?.until(() => one.followers[0]?.created.at(-1)?.payload.message === job.content);
    const text = `F0-behind-${number}`;
    await one.ledger.append({ what: "issued", text, channel: "inbox" });
    await behind.create({ to: "user-0", title: text, message: text });
  }
  await behind.stop();
  // On SQLite, nobody tells this process of the other one's last item; it is found with the next one.
  await one.creates.run([one.job("websocket", 3)].values(), 1);
}

interface Trial {
  readonly mutant: Mutant;
  readonly kinds: readonly ArenaOptions["kind"][];
  readonly options?: Pick<ArenaOptions, "users" | "victim">;
  readonly scene: Scene;
  /** What the oracle has to say of the mutant. */
  readonly finds: RegExp;
}

const TRIALS: readonly Trial[] = [
  {
    mutant: "no fence check",
    // On SQLite, a second process that delivers is warned of, and takes over what has run out.
    kinds: DATABASES,
    options: { victim: { attemptMs: 30_000, leaseMs: 3_000 } },
    scene: stopPastLease,
    finds: /"lost":\["F0-\w+-webhook-0 ended failed/,
  },
  { mutant: "claim after send", kinds: DATABASES, scene: killAfterSend, finds: /was received \d+ times in \d+ attempts/ },
  { mutant: "commit after answer", kinds: DATABASES, scene: killAfterAnswer, finds: /"lost":\["F0-\w+-email-0 is not there/ },
  {
    mutant: "cursor by global sequence",
    kinds: DATABASES,
    options: { users: 1 },
    scene: writeFromBehind,
    finds: /user-0 got \d of 7 items/,
  },
];

/** In the slice, each mutant is planted on one of the databases; one that takes 20 seconds waits for the whole. */
function databasesFor({ kinds, mutant }: Trial, index: number): readonly ArenaOptions["kind"][] {
  if (mutant === "no fence check" && !IS_WHOLE) {
    return [];
  }
  return kinds.length === 1 ? kinds : databasesOf(index);
}

/** The receiver takes only the second request, once it is known what became of the first one. */
async function takeSecond(one: Arena | undefined, count: number): Promise<HookAnswer> {
  if (count !== 2) {
    return { status: 410, afterMs: 1_000 };
  }
  const deadline = performance.now() + RECORD_MS;
  while (performance.now() < deadline && ((await one?.database.attempts())?.length ?? 0) < 2) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return 204;
}

describe.each(DATABASES)("the oracle on %s", (kind) => {
  const cleanup = useCleanup();

  test.each(TRIALS.filter((trial, index) => databasesFor(trial, index).includes(kind)))(
    "finds the mutant: $mutant",
    async ({ mutant, scene, finds, options }) => {
      let one: Arena | undefined;
      const start = async () => {
        one = await arena({ fault: "F0", kind, ...options, hook: (_, count) => takeSecond(one, count) }, cleanup);
        return one;
      };
      const sick = await start();
      await scene(sick, { mutant });
      await sick.quiet({ framesMs: FRAMES_MS });
      const { findings } = await judge(sick.ledger, sick.database);
      expect(JSON.stringify(findings)).toMatch(finds);
      // Nothing else happens to an installation without it, and that one comes through.
      const sound = await start();
      await scene(sound, {});
      await sound.expectSound();
      note(`F0 ${kind}`, { [mutant]: "found" });
    },
  );
});
