import type { Readable, Writable } from "node:stream";

/** A stream that may be a terminal. */
export type Terminal<Of> = Of & { readonly isTTY?: boolean };

/** What a command has to do with the world around it. */
export interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The directory that it works in. */
  readonly cwd: string;
  /** Answers to prompts. */
  readonly stdin: Terminal<Readable>;
  /** Results, and nothing else. */
  readonly stdout: Writable;
  /** Prompts, progress, remarks and errors. */
  readonly stderr: Terminal<Writable>;
  /** Adds the variables of a file to `env`; those that are there win. */
  loadEnvFile(path: string): void;
  /** Adds those of an application of Next to `env`, as the Next that it has installed reads them. Returns false where it has none. */
  loadNextEnv(directory: string): boolean;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Whether there is somebody to ask, and to show progress to. */
export function isInteractive({ stdin, stderr, env }: Io): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && (env.CI === undefined || env.CI === "");
}
