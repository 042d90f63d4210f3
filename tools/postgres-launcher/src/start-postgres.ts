import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, chmod, chown, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { copyBinaries } from "./binaries.ts";
import { run, serverUser } from "./run.ts";
import { copyAsStandby } from "./start-standby.ts";

/** How to shut down: `fast` ends all sessions; `immediate` crashes, and the next start recovers. */
export type ShutdownMode = "fast" | "immediate";

export interface PostgresOptions {
  /** Whether commits reach the disk. Benchmarks need it; tests do not, since a killed process loses nothing. @default false */
  readonly durable?: boolean;
  /** More lines for postgresql.conf, for example `{ max_connections: "20" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The folder with the programs of another version: `bin`, `lib` and `share`. @default npm's package for this platform */
  readonly programs?: string;
}

/** A PostgreSQL server that belongs to this process. */
export interface PostgresServer {
  /** A superuser's connection string to the database `postgres`. */
  readonly url: string;
  /** Shuts the server down and resolves once nobody can connect. Its data and port stay for {@link PostgresServer.startAgain}. */
  shutDown(mode: ShutdownMode): Promise<void>;
  /** Starts it after a shutdown, on the same port with the same data, and resolves once it accepts connections. */
  startAgain(): Promise<void>;
  /**
   * Starts a hot standby of this server, which follows it from now on. This server is shut down meanwhile, so that its data can be
   * copied. Whoever starts the standby stops it.
   */
  startStandby(): Promise<PostgresServer>;
  /** Stops the server and removes its data. Idempotent. */
  stop(): Promise<void>;
}

const START_ATTEMPTS = 5;

/**
 * Starts a real PostgreSQL in a directory of its own below the temp directory, on a free port of the loopback
 * interface. It is stopped and removed by {@link PostgresServer.stop}, or when this process ends, even if it is killed. A
 * start takes one to two seconds.
 *
 * Its collation is English by ICU rules, so that tests notice a comparison that should be bytewise and is not.
 */
export function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  return startIn(async (directory) => {
    await copyBinaries(directory, options.programs);
    return initialise(directory, options);
  });
}

/** Starts a server in a new directory. @param prepare writes its programs and its data there, and answers its superuser's password */
async function startIn(prepare: (directory: string) => Promise<string>): Promise<PostgresServer> {
  const directory = await mkdtemp(join(tmpdir(), "belfry-postgres-"));
  const watchdog = watch(directory);
  try {
    if (serverUser.uid !== undefined) {
      await chown(directory, serverUser.uid, serverUser.gid ?? serverUser.uid);
    }
    const password = await prepare(directory);
    const port = await startOnFreePort(directory);
    const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
    const server: PostgresServer = {
      url,
      shutDown: (mode) => control(directory, ["stop", "-m", mode]),
      startAgain: () => startOn(port, directory),
      startStandby: async () => {
        await server.shutDown("fast");
        return startIn(async (own) => {
          await copyAsStandby(own, { directory, url });
          await server.startAgain();
          return password;
        });
      },
      stop: () => endWatch(watchdog),
    };
    return server;
  } catch (error) {
    await endWatch(watchdog);
    throw error;
  }
}

async function initialise(directory: string, { durable = false, settings = {} }: PostgresOptions): Promise<string> {
  const password = randomBytes(12).toString("hex");
  const passwordFile = join(directory, "password");
  await writeFile(passwordFile, password, { mode: 0o644 });
  const data = join(directory, "data");
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US"];
  // The password is random, so that rounds of hashing protect nothing; they would cost every connection milliseconds.
  const rounds = (await majorOf(directory)) >= 16 ? ["--set=scram_iterations=1"] : [];
  const access = ["--username=postgres", `--pwfile=${passwordFile}`, "--auth=scram-sha-256", ...rounds, "--no-sync"];
  await run(join(directory, "bin", "initdb"), ["-D", data, ...locale, ...access], directory);
  await rm(passwordFile);
  const all: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: process.platform === "win32" ? "" : directory,
    max_connections: "200",
    // Test databases come and go by the dozen; their data is not worth flushing.
    ...(durable ? {} : { fsync: "off", full_page_writes: "off" }),
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`);
  await appendFile(join(data, "postgresql.conf"), lines.join(""));
  return password;
}

/** The major version of the programs in a directory: from `postgres (PostgreSQL) 18.4`. */
async function majorOf(directory: string): Promise<number> {
  const [major] = /\d+/.exec(await run(join(directory, "bin", "postgres"), ["--version"], directory)) ?? [];
  return Number(major);
}

async function startOnFreePort(directory: string): Promise<number> {
  const log = join(directory, "log");
  await writeFile(log, "");
  await chmod(log, 0o666);
  for (let attempt = 1; ; attempt += 1) {
    // Another program may take the port before the server starts.
    const port = await freePort();
    try {
      await startOn(port, directory);
      return port;
    } catch (error) {
      if (attempt === START_ATTEMPTS) {
        throw new Error(`PostgreSQL did not start: ${await readFile(log, "utf8")}`, { cause: error });
      }
    }
  }
}

function startOn(port: number, directory: string): Promise<void> {
  return control(directory, ["start", "-l", join(directory, "log"), "-o", `-p ${port}`]);
}

/** Sends the server in `directory` a command, and waits until it is done. */
async function control(directory: string, command: readonly string[]): Promise<void> {
  await run(join(directory, "bin", "pg_ctl"), [...command, "-w", "-t", "30", "-D", join(directory, "data")], directory);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error(`Expected a port of the loopback interface, got ${address}.`);
  }
  return address.port;
}

function watch(directory: string): ChildProcess {
  const script = fileURLToPath(new URL("./watchdog.ts", import.meta.url));
  // The watchdog is detached: a signal to the whole process group must not end it before it cleans up.
  const watchdog = spawn(process.execPath, [script, directory], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  watchdog.unref();
  const stdin = watchdog.stdin as { unref?: () => void } | null;
  stdin?.unref?.();
  return watchdog;
}

async function endWatch(watchdog: ChildProcess): Promise<void> {
  if (watchdog.exitCode === null && watchdog.signalCode === null) {
    watchdog.ref();
    const ended = once(watchdog, "exit");
    watchdog.stdin?.end();
    await ended;
  }
}
