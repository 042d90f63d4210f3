import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { parseEnv } from "node:util";
import { NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { freshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { migratedPostgres } from "../../../test/migrated-postgres.ts";
import { type ExitCode, run } from "../src/index.ts";

/** What became of a command line. */
export interface Ran {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** The world around a command line. */
export interface World {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Somebody at a terminal, who types this once something is asked. @default nobody: there is no terminal */
  readonly types?: string;
  /** Told of everything that is written, as it is. */
  readonly onOutput?: (text: string) => void;
}

function collector(onText: (text: string) => void): { readonly stream: Writable; text(): string } {
  let all = "";
  const stream = new Writable({
    write(chunk, _encoding, done) {
      all += String(chunk);
      onText(String(chunk));
      done();
    },
  });
  return { stream, text: () => all };
}

/** Runs a command line in this process. */
export async function belfry(
  args: readonly string[],
  { cwd = tmpdir(), env = {}, signal, types, onOutput = () => {} }: World = {},
): Promise<Ran> {
  const isTTY = types !== undefined;
  const variables = { ...env };
  const stdin = Object.assign(new PassThrough(), { isTTY, setRawMode: () => undefined });
  const stdout = collector(onOutput);
  const stderr = collector((text) => {
    onOutput(text);
    if (types !== undefined && text.includes("?")) {
      setImmediate(() => stdin.write(types));
    }
  });
  const code = await run(args, {
    env: variables,
    cwd,
    loadEnvFile: (path) => void Object.assign(variables, { ...parseEnv(readFileSync(path, "utf8")), ...variables }),
    loadNextEnv: () => false,
    stdin,
    stdout: stdout.stream,
    stderr: Object.assign(stderr.stream, { isTTY, columns: 200 }),
    signal: signal ?? new AbortController().signal,
  });
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

/** The one JSON document on stdout. */
export function documentOf({ stdout }: Ran): Readonly<Record<string, unknown>> {
  if (!/^[^\n]+\n$/.test(stdout)) {
    throw new Error(`This is not one line: ${stdout}`);
  }
  const document: unknown = JSON.parse(stdout);
  if (typeof document !== "object" || document === null) {
    throw new Error(`This is no document: ${stdout}`);
  }
  return { ...document };
}

/** A directory of its own, and what removes it. */
export async function directory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "belfry-cli-"));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** The storage of an application on the database of a URL. */
export function storageAt(url: string): Storage {
  return url.startsWith("sqlite:") ? sqliteStorage(url.slice("sqlite:".length)) : postgresStorage(url);
}

/** Runs a command line on the service of an application, which its configuration exports; the command stops it. */
export async function belfryOn(service: object, args: readonly string[], world: Omit<World, "cwd"> = {}): Promise<Ran> {
  const { path: cwd, remove } = await directory();
  const name = `belfry-cli:${cwd}`;
  Object.assign(globalThis, { [name]: service });
  try {
    await writeFile(join(cwd, "belfry.config.mjs"), `export const notifications = globalThis[${JSON.stringify(name)}];\n`);
    return await belfry(args, { ...world, cwd });
  } finally {
    Reflect.deleteProperty(globalThis, name);
    await remove();
  }
}

/** The service of an application that runs nothing. */
export function idleService(url: string): NotificationService {
  return new NotificationService({ storage: storageAt(url), delivery: { worker: false }, hub: { worker: false } });
}

/** A database for commands. */
export interface Place {
  readonly url: string;
  drop(): Promise<void>;
}

async function sqlitePlace(): Promise<Place> {
  const { path, remove } = await directory();
  return { url: `sqlite:${join(path, "app.db")}`, drop: remove };
}

/** The kinds of databases: an empty one of each, and one with its tables. */
export const KINDS = [
  {
    kind: "SQLite",
    empty: sqlitePlace,
    async migrated() {
      const place = await sqlitePlace();
      await belfry(["migrate", "--database", place.url]);
      return place;
    },
    unreachable: "sqlite:/dev/null/app.db",
  },
  { kind: "PostgreSQL", empty: freshDatabase, migrated: migratedPostgres, unreachable: "postgres://ann:hunter2@127.0.0.1:9/app" },
] as const;
