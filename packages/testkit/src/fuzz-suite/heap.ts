import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Returns the size of the heap after everything that nobody holds is gone. */
export function heapBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
