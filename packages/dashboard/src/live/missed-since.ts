import { type ActivitySummary, isUuid } from "@belfry/core";
import type { DashboardTenant } from "../dashboard-options.ts";

/**
 * A look back begins this long before the last notification seen. Ids are made before they are written, and clocks of
 * machines differ a little, so a notification with an older id may have been written later.
 */
const OVERLAP_MS = 60_000;

const PAGE = 100;

/** At most this many missed notifications are reported one by one; a page that missed more loads anew. */
const MAX_MISSED = 1_000;

/** The notifications that a page missed, oldest first, and whether these are all. */
export interface Missed {
  readonly notifications: readonly ActivitySummary[];
  readonly isComplete: boolean;
}

/** How far ahead of this machine's clock another one's may be. */
const AHEAD_MS = 86_400_000;

/**
 * Reads the notifications created since `lastId`, and shortly before it. With an invalid id, or one from too far in the
 * future, a page counts as having missed everything.
 */
export async function missedSince(
  operator: DashboardTenant["operator"],
  { lastId, nowMs }: { readonly lastId: string; readonly nowMs: number },
): Promise<Missed> {
  const isKnown = isUuid(lastId) && timeOf(lastId) <= nowMs + AHEAD_MS;
  const from = isKnown ? { from: new Date(Math.max(0, timeOf(lastId) - OVERLAP_MS)) } : {};
  const missed: ActivitySummary[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof operator.search>> = await operator.search({
      ...from,
      limit: PAGE,
      ...(cursor === null ? {} : { cursor }),
    });
    missed.push(...page.notifications);
    cursor = page.nextCursor;
  } while (cursor !== null && missed.length < MAX_MISSED);
  return { notifications: missed.reverse(), isComplete: cursor === null };
}

/** When a UUIDv7 was made, in milliseconds since 1970. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
