import { setTimeout as sleep } from "node:timers/promises";

/** Waits; answers whether to go on: false once Ctrl-C was pressed. */
export async function waitUnlessInterrupted(ms: number, signal: AbortSignal): Promise<boolean> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) {
      throw error;
    }
  });
  return !signal.aborted;
}
