import type { ClientSnapshot } from "@belfry/client";
import { useBelfry } from "./belfry-provider.tsx";
import { useStore } from "./use-store.ts";

/**
 * The state of the client: its connection, how many changes wait to be sent, the counts, and the last error.
 *
 * @example
 * const { connection, pending } = useConnection();
 * {connection === "offline" && <p>{pending} changes wait</p>}
 */
export function useConnection(): ClientSnapshot {
  return useStore(useBelfry(), (state) => state);
}
