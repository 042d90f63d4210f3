import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const PAUSE_MS = 50;
/** Readings that differ by less than this are alike. */
const ALIKE_BYTES = 64 * 1024;
const ALIKE_READINGS = 2;
const MOST_READINGS = 20;

/** Bytes of this process's heap that are in use, after full collections: finalizers and closed sockets let go of things later. */
export async function usedHeap(): Promise<number> {
  let alike = 0;
  let used = Number.POSITIVE_INFINITY;
  for (let reading = 0; reading < MOST_READINGS && alike < ALIKE_READINGS; reading += 1) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    collect();
    const now = process.memoryUsage().heapUsed;
    alike = Math.abs(used - now) < ALIKE_BYTES ? alike + 1 : 0;
    used = now;
  }
  return used;
}

/**
 * Bytes of this process's heap that are in use without the young generation: that one fills up with what nobody holds, to a size that V8
 * chooses by how long the process runs, whatever it does.
 */
export function usedOldHeap(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => !space_name.startsWith("new_"));
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, 0);
}

/** Bytes of this process's memory that something holds, buffers outside of the heap included, after a full collection. */
export function heldBytes(): number {
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * Begins to watch how much this process holds, by one collection after another: half of its time goes into them. The answer ends that, and
 * tells how much more it was at the most than at the beginning.
 */
export function watchHeld(): () => number {
  const atFirst = heldBytes();
  let most = atFirst;
  const look = (): NodeJS.Timeout => {
    const startedMs = performance.now();
    most = Math.max(most, heldBytes());
    return setTimeout(lookAgain, performance.now() - startedMs);
  };
  const lookAgain = () => {
    looking = look();
  };
  let looking = look();
  return () => {
    clearTimeout(looking);
    return most - atFirst;
  };
}
