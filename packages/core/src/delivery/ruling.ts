import type { Ruling } from "./chains.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";

/** Decides whether a claimed delivery may be attempted at this moment: null if it may. */
export function rulingOn({ notification: { expiresAt } }: ClaimedDelivery, now: Date): Ruling | null {
  return expiresAt !== null && expiresAt <= now ? { outcome: "skip", reason: "expired", source: "notification" } : null;
}
