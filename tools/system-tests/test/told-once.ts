import type { Pool } from "pg";
import { expect } from "vitest";
import type { CreateJob, HttpCreates } from "./http-creates.ts";
import type { InboxFollower } from "./inbox-follower.ts";
import { queryOf, wrongCounts } from "./recount.ts";

/** The messages that clients created over HTTP (those have no title), by inbox, in the order of their numbers. */
export async function inboxMessages(pool: Pool): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await pool.query<{ user_id: string; messages: string[] }>(
    `SELECT i.user_id, array_agg(n.message ORDER BY i.seq) AS messages
    FROM belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk WHERE n.title = '' GROUP BY i.user_id`,
  );
  return new Map(rows.map(({ user_id, messages }) => [user_id, messages]));
}

/**
 * Creates a last notification for every follower's user and waits until all followers have it. It then compares each
 * follower's items with the inbox: the same items, in the same order, each once. The counts must be true as well.
 */
export async function expectToldOnce(pool: Pool, creates: HttpCreates, followers: readonly InboxFollower[]): Promise<void> {
  const users = [...new Set(followers.map(({ userId }) => userId))];
  const last = (userId: string) => `the last one for ${userId}`;
  const jobs = users.map((userId): CreateJob => ({ userId, content: last(userId) }));
  await creates.run(jobs.values(), 1);
  await Promise.all(followers.map((follower) => follower.until(() => follower.created.at(-1)?.payload.message === last(follower.userId))));
  const inboxes = await inboxMessages(pool);
  for (const { userId, created, recovered } of followers) {
    const messages = inboxes.get(userId) ?? [];
    expect(created.map(({ payload }) => payload.message)).toEqual(messages);
    expect(created.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
    expect(recovered).not.toContain(false);
  }
  expect(await wrongCounts(queryOf(pool))).toEqual([]);
}

/**
 * Compares the database with the clients' ledger. Every acknowledged notification exists. Every existing notification was
 * requested, and exists twice only if it was requested twice.
 */
export async function expectLedger(pool: Pool, creates: HttpCreates): Promise<void> {
  const times = new Map<string, number>();
  for (const message of [...(await inboxMessages(pool)).values()].flat()) {
    times.set(message, (times.get(message) ?? 0) + 1);
  }
  expect([...creates.acknowledged].filter((content) => !times.has(content))).toEqual([]);
  expect([...times].filter(([content, count]) => count > (creates.attempts.get(content) ?? 0))).toEqual([]);
}
