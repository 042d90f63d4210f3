import { fork } from "node:child_process";
import { once } from "node:events";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { bundledProgram } from "../../../../test/bundled-program.ts";
import { MovingLoad } from "./moving-load.ts";

const PROGRAM = bundledProgram(new URL("./mover.ts", import.meta.url));
/** A whole move sends about 450 statements, one that goes on sends fewer. */
const STATEMENTS = 320;
/** Before this one the tenant is frozen, and its copy is not complete. */
const WHILE_COPYING = 200;
const SEEDS = process.env.BELFRY_LONG ? Array.from({ length: 12 }, (_, index) => index + 1) : [1];
const KILLS = process.env.BELFRY_LONG ? 6 : 3;
const RETRY_MS = 120_000;

/** How a mover ended. */
type Ended = { readonly statements: number } | { readonly code: string; readonly message: string } | "killed";

/** Runs a process that moves the tenant of a load, and waits for its end. */
async function runMover(load: MovingLoad, settings: Readonly<Record<string, string>>): Promise<Ended> {
  const env = { PATH: process.env.PATH, FROM: load.old.database.url, TO: load.fresh.database.url, ...settings };
  const child = fork(PROGRAM, { env });
  onTestFinished(() => void child.kill("SIGKILL"));
  let ended: Ended = "killed";
  const switches: Promise<void>[] = [];
  child.on("message", (message: "switch" | Exclude<Ended, "killed">) => {
    if (message === "switch") {
      // The mover may be killed meanwhile.
      switches.push(load.switchOver().then(() => void child.send("done", () => undefined)));
    } else {
      ended = message;
    }
  });
  await once(child, "exit");
  await Promise.all(switches);
  return ended;
}

/** Runs a mover after one that was killed, whose lock the database may hold for a moment more. */
async function runNext(load: MovingLoad, settings: Readonly<Record<string, string>>): Promise<Ended> {
  const untilMs = performance.now() + RETRY_MS;
  for (;;) {
    const ended = await runMover(load, settings);
    const isLocked = typeof ended === "object" && "code" in ended && ended.code === "INVALID_STATE";
    if (!isLocked || performance.now() > untilMs) {
      return ended;
    }
  }
}

const killedAt = (statement: number) => ({ KILL_AT: String(statement), ...(statement % 2 === 0 ? {} : { KILL_LATE: "yes" }) });

test.each(SEEDS)(
  "a mover that is killed again and again loses and doubles nothing: its tenant is frozen until the next try, or until the move is abandoned (seed %i)",
  { timeout: 300_000 },
  async (seed) => {
    const load = await MovingLoad.begin();
    onTestFinished(() => load.close());
    expect(await runMover(load, killedAt(WHILE_COPYING))).toBe("killed");
    await load.isFrozen();
    expect(await runNext(load, { ABANDON: "yes" })).toEqual({ statements: expect.any(Number) });
    await load.more();
    const points = fc.sample(fc.integer({ min: 1, max: STATEMENTS }), { seed, numRuns: KILLS });
    let ended: Ended = "killed";
    for (const settings of [...points.map(killedAt), {}]) {
      ended = ended === "killed" ? await runNext(load, settings) : ended;
    }
    expect(ended).toEqual({ statements: expect.any(Number) });
    await load.more();
    await load.end();
  },
);
