#!/usr/bin/env node
import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Io } from "./io.ts";
import { loadNextEnv } from "./next-env.ts";
import { run } from "./run.ts";

/** How wide a terminal is that does not say. */
const COLUMNS = 80;

const interrupted = new AbortController();
process.on("SIGINT", () => {
  if (interrupted.signal.aborted) {
    // Whoever presses it twice does not want to wait.
    process.exit(EXIT.interrupted);
  }
  interrupted.abort();
});
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") {
    // Whoever reads the results has had enough, as `head` has.
    process.exit(EXIT.ok);
  }
  process.stderr.write(`belfry: cannot write the results: ${error.message}\n`);
  process.exit(EXIT.failed);
});

if (process.stderr.isTTY && process.stderr.columns === 0) {
  // A terminal without a size, as one in a container may be: questions would come one character a line.
  process.stderr.columns = COLUMNS;
}

const io: Io = {
  env: process.env,
  cwd: process.cwd(),
  loadEnvFile: (path) => process.loadEnvFile(path),
  loadNextEnv: (directory) => loadNextEnv(directory, (message) => process.stderr.write(`belfry: ${message}\n`)),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupted.signal,
};

/** Ends the process once all is written: what the application's modules began on their way in may keep it alive. */
function end(code: ExitCode): void {
  process.stdout.write("", () => process.exit(code));
}

run(process.argv.slice(2), io).then(end, (error: unknown) => {
  process.stderr.write(`belfry: ${String(error)}\n`);
  end(EXIT.failed);
});
