import { type ChildProcess, spawn } from "node:child_process";
import { bundledProgram } from "../../../test/bundled-program.ts";

/** The file that runs. */
export const MAIN = bundledProgram(new URL("../src/main.ts", import.meta.url));

/** The example's real process; it may not serve yet, or never. */
export interface SpawnedServer {
  readonly child: ChildProcess;
  /** Everything it printed so far. */
  readonly output: () => string;
  /** Resolves with its exit code. */
  readonly exited: Promise<number | null>;
}

/** The example's real process once it serves. */
export interface ServerProcess extends SpawnedServer {
  readonly url: string;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the server, on a free port unless `env` names one. It is no demo unless `env` says so: the inboxes of a demo are not empty. */
export function spawnServer(env: Readonly<Record<string, string>>): SpawnedServer {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH, NODE_COMPILE_CACHE, PORT: "0", DATABASE_URL: "sqlite::memory:", DEMO: "0", ...env },
  });
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  return { child, output: () => output, exited: new Promise((resolve) => child.once("close", resolve)) };
}

/** Starts the server on a free port and resolves once it says that it listens. */
export async function startServer(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const spawned = spawnServer(env);
  const { child, output, exited } = spawned;
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", () => {
      const found = /Belfry listens on (\S+)/.exec(output())?.[1];
      if (found) {
        resolve(found);
      }
    });
    exited.then((code) => reject(new Error(`The server ended with ${code}: ${output()}`)), reject);
  });
  return {
    ...spawned,
    url,
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}
