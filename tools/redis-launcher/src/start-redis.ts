import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface RedisOptions {
  /** More settings of redis-server, for example `{ requirepass: "secret" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The lines of a sentinel's configuration; it is a sentinel then. */
  readonly sentinel?: readonly string[];
}

/** A Redis server that belongs to this process. It keeps its data in memory only. */
export interface RedisServer {
  readonly port: number;
  /** Where it is, without a password. */
  readonly url: string;
  /** Kills it, and with it its data. Resolves once nobody can connect. */
  kill(): Promise<void>;
  /** Starts it after a kill, empty, on the same port, and resolves once it accepts connections. */
  startAgain(): Promise<void>;
  /** Kills it and removes its directory. Idempotent. */
  stop(): Promise<void>;
}

const PROGRAM = "redis-server";
const START_ATTEMPTS = 5;
const READY_MS = 20_000;
const RETRY_MS = 5;

/**
 * Whether this machine has redis-server. Suites that need it are skipped where there is none, but not in CI, which installs it: there it counts
 * as had, and to start it fails.
 */
export const hasRedis: boolean = process.env.CI !== undefined || spawnSync(PROGRAM, ["--version"], { stdio: "ignore" }).status === 0;

/**
 * Starts a real Redis on a free port of the loopback interface. It is killed by {@link RedisServer.stop}, or when this process ends, even
 * if it is killed. A start takes a fiftieth of a second.
 */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "belfry-redis-"));
  let { port, server } = await startOnFreePort(directory, options);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => end(server),
    async startAgain() {
      server = await startOn(port, directory, options);
    },
    async stop() {
      await end(server);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function startOnFreePort(
  directory: string,
  options: RedisOptions,
): Promise<{ readonly port: number; readonly server: ChildProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    // Another program may take the port before the server starts.
    const port = await freePort();
    try {
      return { port, server: await startOn(port, directory, options) };
    } catch (error) {
      if (attempt === START_ATTEMPTS) {
        throw error;
      }
    }
  }
}

/**
 * A shell's program that runs a server and reads until the process that started it ends, however it ends, or closes the pipe; then it
 * kills the server.
 */
const WATCHED = `exec 3<&0
"$@" < /dev/null & server=$!
{ cat > /dev/null; kill -KILL $server; } <&3 3<&- &
wait $server`;

async function startOn(port: number, directory: string, { settings = {}, sentinel }: RedisOptions): Promise<ChildProcess> {
  const log = join(directory, "log");
  const own = { port: String(port), bind: "127.0.0.1", dir: directory, logfile: log, save: "", appendonly: "no" };
  const options = Object.entries({ ...own, ...settings }).flatMap(([name, value]) => [`--${name}`, value]);
  const kind = sentinel === undefined ? [] : [await configured(directory, sentinel), "--sentinel"];
  const server = spawn("sh", ["-c", WATCHED, "sh", PROGRAM, ...kind, ...options], { stdio: ["pipe", "ignore", "ignore"], detached: true });
  server.unref();
  const stdin = server.stdin as { unref?: () => void } | null;
  stdin?.unref?.();
  if (!(await isAccepting(port, server))) {
    await end(server);
    throw new Error(`Redis did not start: ${await readFile(log, "utf8").catch(() => `there is no ${PROGRAM} on this machine`)}`);
  }
  return server;
}

/** Writes a configuration, which a sentinel changes itself, and returns its file. */
async function configured(directory: string, lines: readonly string[]): Promise<string> {
  const file = join(directory, "sentinel.conf");
  await writeFile(file, lines.join("\n"));
  return file;
}

/** Waits until a server accepts connections; false if it does not. */
async function isAccepting(port: number, server: ChildProcess): Promise<boolean> {
  const untilMs = Date.now() + READY_MS;
  while (server.exitCode === null && Date.now() < untilMs) {
    const socket = connect(port, "127.0.0.1");
    const isConnected = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isConnected) {
      return true;
    }
    await setTimeout(RETRY_MS);
  }
  return false;
}

/** Has the shell of a server kill it, and waits until both have ended. */
async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    server.ref();
    const ended = once(server, "exit");
    server.stdin?.end();
    await ended;
  }
}

/** A port of the loopback interface that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
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
