import { type ActivitySummary, isUuid } from "@belfry/core";
import type { DashboardTenant } from "../dashboard-options.ts";

/**
 * How far before the last notification seen a look back begins: ids are made before they are written, on machines
 * whose clocks differ a little, so an older id may have come later.
 */
const OVERLAP_MS = 60_000;

const PAGE = 100;

/** The most that is told one by one; who missed more asks anew. */
const MAX_MISSED = 1_000;

/** What a page missed: oldest first, and whether that is all. */
export interface Missed {
  readonly notifications: readonly ActivitySummary[];
  readonly isComplete: boolean;
}

/** How far ahead of this machine's clock another one's may be. */
const AHEAD_MS = 86_400_000;

/**
 * Reads what was created since the notification `lastId`, and shortly before it. An id that is none, or that was made in
 * a future which no clock can have, misses everything.
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
