/**
 * A separate process that stops the server and removes its directory once the process that started it dies, or closes
 * the standard input. So a killed test run leaves nothing behind.
 */
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { serverUser } from "./run.ts";

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  throw new Error("The watchdog needs the directory of the server it watches.");
}

process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.stdin.resume().on("end", () => {
  const stop = (mode: string) =>
    spawnSync(join(directory, "bin", "pg_ctl"), ["stop", "-w", "-t", "5", "-m", mode, "-D", join(directory, "data")], {
      cwd: directory,
      ...serverUser,
    });
  if (stop("fast").status !== 0) {
    stop("immediate");
  }
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});
