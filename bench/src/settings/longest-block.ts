import { percentile } from "../harness/statistics.ts";
import { scheduled } from "./scheduled.ts";

const LOOK_MS = 1;

/**
 * For how long at a time a process kept its event loop from everything else, in milliseconds. The time is not counted in which it was ready to run,
 * and other processes had all processors: that says something of the machine.
 */
export interface Blocks {
  readonly longestMs: number;
  readonly p99Ms: number;
  /** The longest one with that time. */
  readonly longestWithQueueMs: number;
  /** The most that the main thread ran in one of them: the rest is waiting, for the disk, or for the threads that collect garbage. */
  readonly mostCpuMs: number;
}

/** Begins to watch the event loop of this process. The answer ends that. */
export function watchBlocks(): () => Promise<Blocks> {
  const times: number[] = [];
  let [longestWithQueueMs, mostCpuMs] = [0, 0];
  let last = { atMs: performance.now(), ...scheduled([process.pid]) };
  const look = () => {
    const now = { atMs: performance.now(), ...scheduled([process.pid]) };
    const wallMs = now.atMs - last.atMs;
    times.push(Math.max(0, wallMs - (now.queuedMs - last.queuedMs)));
    longestWithQueueMs = Math.max(longestWithQueueMs, wallMs);
    mostCpuMs = Math.max(mostCpuMs, now.cpuMs - last.cpuMs);
    last = now;
  };
  const looking = setInterval(look, LOOK_MS);
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS));
    look();
    clearInterval(looking);
    return { longestMs: percentile(times, 1), p99Ms: percentile(times, 0.99), longestWithQueueMs, mostCpuMs };
  };
}

/** Runs something, and tells for how long it kept the event loop from everything else at a time, and how long it took, in milliseconds. */
export async function longestBlock(work: () => unknown): Promise<Blocks & { readonly tookMs: number }> {
  const end = watchBlocks();
  const startedMs = performance.now();
  await work();
  const tookMs = performance.now() - startedMs;
  return { ...(await end()), tookMs };
}
