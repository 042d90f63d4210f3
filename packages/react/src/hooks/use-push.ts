import type { PushSnapshot, PushState, Result } from "@belfry/client";
import { useMemo } from "react";
import { useBelfry } from "./belfry-provider.tsx";
import { useStore } from "./use-store.ts";

/** Whether this browser gets pushes, and ways to change that. */
export interface PushSwitch extends PushSnapshot {
  /** Asks the user for permission, and registers this browser. Call it in a click: browsers refuse to ask otherwise. */
  enable(): Promise<Result<PushState>>;
  /** Ends it, and removes the device. */
  disable(): Promise<Result<PushState>>;
}

/**
 * Whether this browser gets pushes. The client needs its option `push`.
 *
 * @example
 * const { state, enable } = usePush();
 * {state === "off" && <button onClick={enable}>Notify me</button>}
 */
export function usePush(): PushSwitch {
  const { push } = useBelfry();
  const snapshot = useStore(push, (state) => state);
  return useMemo(() => ({ ...snapshot, enable: () => push.enable(), disable: () => push.disable() }), [push, snapshot]);
}
