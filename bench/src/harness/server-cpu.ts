import { readdirSync, readFileSync } from "node:fs";

/** CPU that each process of a server has used so far, in nanoseconds, by process id. */
export type ServerCpu = ReadonlyMap<number, number>;

/** The parent of a process; null if it cannot be seen from here. */
export function parentOf(pid: number): number | null {
  try {
    // The name of the program stands in parentheses, and may have spaces; the parent is the second field behind it.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return parent === undefined ? null : Number(parent);
  } catch {
    return null;
  }
}

/** Reads the CPU of `serverPid` and of its children. */
export function readServerCpu(serverPid: number): ServerCpu {
  const pids = readdirSync("/proc").map(Number).filter(Number.isInteger);
  const own = pids.filter((pid) => pid === serverPid || parentOf(pid) === serverPid);
  return new Map(own.map((pid) => [pid, nanoseconds(pid)]));
}

/** The CPU used between two readings, in microseconds. A process that ended in between is not counted. */
export function serverCpuBetween(before: ServerCpu, after: ServerCpu): number {
  let used = 0;
  for (const [pid, at] of after) {
    used += at - (before.get(pid) ?? 0);
  }
  return used / 1_000;
}

function nanoseconds(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
  } catch {
    return 0;
  }
}
