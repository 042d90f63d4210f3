import { existsSync, readFileSync } from "node:fs";

/** How long processes ran, and how long they were ready to run while no processor was free, in milliseconds. */
export interface Scheduled {
  readonly cpuMs: number;
  readonly queuedMs: number;
}

/** How long the main threads of processes ran so far, and waited for a processor; 0 where the system does not tell. */
export function scheduled(pids: readonly number[]): Scheduled {
  let [cpuMs, queuedMs] = [0, 0];
  for (const pid of pids) {
    const file = `/proc/${pid}/schedstat`;
    const [ran = 0, waited = 0] = existsSync(file) ? readFileSync(file, "utf8").split(" ").map(Number) : [];
    cpuMs += ran / 1_000_000;
    queuedMs += waited / 1_000_000;
  }
  return { cpuMs, queuedMs };
}
