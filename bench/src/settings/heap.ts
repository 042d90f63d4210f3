import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Bytes of this process's heap that are in use, after a full collection. */
export async function usedHeap(): Promise<number> {
  // Finalizers and closed sockets let go of things in turns of the event loop.
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    collect();
  }
  return process.memoryUsage().heapUsed;
}
