import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { arena } from "./parts/arena.ts";

/** Whether the calls of a process can be watched here. */
const canTrace = spawnSync("strace", ["-e", "trace=none", "true"]).status === 0;
const WHY_NOT = canTrace ? "" : " (skipped: there is no strace here, or it may not watch)";

describe(`power loss on SQLite, which no kill can show${WHY_NOT}`, () => {
  const cleanup = useCleanup();

  test.skipIf(!canTrace)("a commit is on the disk before the answer that accepts it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "belfry-trace-"));
    cleanup(() => rmSync(directory, { recursive: true }));
    const path = join(directory, "calls");
    const one = await arena({ fault: "F0", kind: "SQLite" }, cleanup);
    const victim = await one.start();
    const calls = "trace=fsync,fdatasync,write,writev,sendto";
    const tracer = spawn("strace", ["-f", "-qq", "-s", "32", "-e", calls, "-o", path, "-p", String(victim.child.pid)]);
    const ended = once(tracer, "exit");
    cleanup(() => tracer.kill());
    // What it writes at this moment shows that it is watched.
    await expect
      .poll(
        async () => {
          await victim.state();
          return readFileSync(path, "utf8");
        },
        { timeout: 30_000 },
      )
      .not.toBe("");
    await one.creates.run(one.jobs(1, ["email"]), 1);
    await one.quiet();
    tracer.kill();
    await ended;
    const lines = readFileSync(path, "utf8").split("\n");
    const answer = lines.findIndex((line) => line.includes("HTTP/1.1 201"));
    expect(answer).toBeGreaterThan(-1);
    expect(lines.slice(0, answer).filter((line) => /\bf(data)?sync\(.*= 0$/.test(line)).length).toBeGreaterThan(0);
  });
});
