import { chmod, mkdtemp, rm, statfs } from "node:fs/promises";
import { join } from "node:path";

/** Linux keeps what is written here in memory. */
const MEMORY = "/dev/shm";

/** The databases of a whole run need less than half of it. */
const NEEDED_BYTES = 4 * 2 ** 30;

/**
 * Puts the temporary files of a test run into memory, if there is enough of it; for vitest's `globalSetup`, as the first.
 * To create a database makes hundreds of files, which costs several times as much on a disk.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  const space = await statfs(MEMORY).catch(() => null);
  if (process.env.TMPDIR !== undefined || space === null || space.bavail * space.bsize < NEEDED_BYTES) {
    return undefined;
  }
  const directory = await mkdtemp(join(MEMORY, "belfry-tests-"));
  // PostgreSQL runs as a user of its own, which has to pass through.
  await chmod(directory, 0o711);
  process.env.TMPDIR = directory;
  return () => rm(directory, { recursive: true, force: true, maxRetries: 5 });
}
