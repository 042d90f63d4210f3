import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** The example's real process. */
export interface ServerProcess {
  readonly url: string;
  readonly output: () => string;
  readonly child: ChildProcess;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the server on a free port and resolves once it says that it listens. */
export async function startServer(env: Readonly<Record<string, string>>): Promise<ServerProcess> {
  const child = spawn(process.execPath, ["--conditions=@belfry/source", MAIN], {
    env: { PATH: process.env.PATH, PORT: "0", DATABASE_URL: "sqlite::memory:", ...env },
  });
  let output = "";
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      output += chunk.toString();
      const found = /Belfry listens on (\S+)/.exec(output)?.[1];
      if (found) {
        resolve(found);
      }
    };
    child.stdout.on("data", listen);
    child.stderr.on("data", listen);
    void exited.then((code) => reject(new Error(`The server ended with ${code}: ${output}`)));
  });
  return {
    url,
    child,
    output: () => output,
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}
