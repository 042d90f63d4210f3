import { execFileSync } from "node:child_process";
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres } from "@belfry/postgres-launcher";
import pg from "pg";
import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { endlessLoad, progress } from "./parts/endless-load.ts";
import { IS_WHOLE, scaled } from "./parts/run.ts";

type Cleanup = (task: () => unknown) => void;

const canMount = mayMount();
const WHY_NOT = canMount ? "" : " (skipped: no file system can be mounted here, which takes Linux, root and the capability SYS_ADMIN)";

/** Whether file systems can be mounted here: root in a container often may not. */
function mayMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "belfry-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "tmpfs", directory], { stdio: "ignore" });
    execFileSync("umount", [directory], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Mounts an empty file system in memory. */
function mount(size: string, cleanup: Cleanup): string {
  const directory = mkdtempSync(join(tmpdir(), "belfry-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0777`, "tmpfs", directory]);
  cleanup(() => {
    execFileSync("umount", ["-l", directory]);
    rmSync(directory, { recursive: true });
  });
  chmodSync(directory, 0o777);
  return directory;
}

/** Takes all the space that a file system has left. The returned function gives it back. */
function fill(directory: string): () => void {
  const filler = join(directory, "filler");
  const file = openSync(filler, "w");
  const chunk = Buffer.alloc(64 * 1024);
  try {
    while (writeSync(file, chunk) > 0) {
      // Until it is full, whoever else takes some of it meanwhile.
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe("ENOSPC");
  } finally {
    closeSync(file);
  }
  return () => rmSync(filler);
}

/** What else a database does when its disk is full. */
interface WhileFull {
  /** Runs before space is given back. */
  worsen?(): Promise<void>;
  /** Runs after it. */
  repair?(): Promise<void>;
}

/** Fills the disk under load until requests fail, gives space back, and checks that nothing accepted is lost. */
async function fillUnderLoad(one: Arena, directory: string, { worsen, repair }: WhileFull = {}): Promise<void> {
  await one.start();
  const stop = endlessLoad(one, 4);
  await progress(one, 20);
  const giveBack = fill(directory);
  const refused = (count: number) =>
    expect.poll(() => one.creates.answers.get(503) ?? 0, { timeout: 120_000, interval: 20 }).toBeGreaterThan(count);
  await refused(3);
  await worsen?.();
  await refused((one.creates.answers.get(503) ?? 0) + scaled(3, 30));
  giveBack();
  await repair?.();
  // Without a restart of the process under test.
  await progress(one, 20);
  await stop();
  expect(one.victims.filter(({ isAlive }) => !isAlive)).toEqual([]);
  const verdict = await one.expectSound();
  one.note(verdict, { answers: [...one.creates.answers].map(([answer, count]) => `${answer} ×${count}`).join(" ") });
}

/** Asks PostgreSQL for new files of its log until it dies of the full disk. */
async function killByFullLog(url: string): Promise<void> {
  const ask = async () => {
    const client = new pg.Client({ connectionString: url });
    // It also hears here that its server died.
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query("SELECT pg_switch_wal()");
      return "lives";
    } catch {
      return "died";
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  await expect.poll(ask, { timeout: 120_000, interval: 50 }).toBe("died");
}

describe(`F7: the disk is full for a while${WHY_NOT}`, () => {
  const cleanup = useCleanup();

  test.skipIf(!canMount)("SQLite: requests are told to try again, and nothing accepted is lost", async () => {
    const directory = mount("16m", cleanup);
    const url = `sqlite:${join(directory, "belfry.db")}`;
    await fillUnderLoad(await arena({ fault: "F7", kind: "SQLite", url, meta: { bulk: "x".repeat(4_000) } }, cleanup), directory);
  });

  test.skipIf(!canMount || !IS_WHOLE)(
    "PostgreSQL: requests are told to try again, also when it dies of it, and nothing accepted is lost",
    async () => {
      const directory = mount("400m", cleanup);
      const before = tmpdir();
      process.env.TMPDIR = directory;
      const server = await startPostgres({ settings: { min_wal_size: "32MB", max_wal_size: "64MB" } }).finally(() => {
        process.env.TMPDIR = before;
      });
      cleanup(() => server.stop());
      const one = await arena({ fault: "F7", kind: "PostgreSQL", url: server.url, meta: { bulk: "x".repeat(9_000) } }, cleanup);
      await fillUnderLoad(one, directory, {
        worsen: () => killByFullLog(server.url),
        // It may have come back by itself.
        repair: () => server.startAgain().catch(() => undefined),
      });
    },
  );
});
