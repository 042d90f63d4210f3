import { createHmac, randomBytes } from "node:crypto";
import type { Owner } from "@belfry/core";
import type { BroadcastPage } from "@belfry/core/storage";
import type { Sql } from "../database/sql.ts";

/** How many bytes the key of a hash has. */
const KEY_BYTES = 32;

/** Users by the hashes that they have with each of these keys. */
export function usersByHash(users: readonly string[], keys: readonly string[]): ReadonlyMap<string, string> {
  const hashOf = (key: string, userId: string) => createHmac("sha256", key).update(userId).digest("hex");
  return new Map(keys.flatMap((key) => users.map((userId) => [hashOf(key, userId), userId] as const)));
}

/** Notes that a user was deleted at a time, as long as broadcasts that began before may still reach them. */
export function keepingDeleted(sql: Sql): (owner: Owner, at: Date) => Promise<void> {
  const { broadcasts, deletedUsers } = sql.tables;
  const newestKey = `SELECT key FROM ${deletedUsers} WHERE tenant = $1 ORDER BY hash LIMIT 1`;
  const at = sql.cast("$4", "timestamptz");
  const keep = `INSERT INTO ${deletedUsers} (tenant, hash, key, at) SELECT $1, $2, $3, ${at}
    WHERE EXISTS (SELECT 1 FROM ${broadcasts} b WHERE b.tenant = $1 AND b.at <= ${at})
    ON CONFLICT (tenant, hash) DO UPDATE SET at = excluded.at RETURNING hash`;
  const paged = `SELECT pk FROM ${broadcasts} WHERE tenant = $1 AND page_cursor IS NOT NULL ORDER BY pk`;
  const wait = `UPDATE ${broadcasts} SET at = at WHERE pk = $1 RETURNING pk`;
  return async ({ tenant, userId }, time) => {
    const [found] = await sql.rows<{ readonly key: string }>("deleted_users_key", newestKey, [tenant]);
    const key = found?.key ?? randomBytes(KEY_BYTES).toString("hex");
    const [hash] = [...usersByHash([userId], [key]).keys()];
    if ((await sql.rows("keep_deleted_user", keep, [tenant, hash, key, time])).length === 0) {
      return;
    }
    // Whoever adds a page at this moment may not see it, and is waited for: the user is taken out of the parts of that page, as of others.
    for (const { pk } of await sql.rows<{ readonly pk: number }>("paged_broadcasts_of", paged, [tenant])) {
      await sql.rows("wait_for_page", wait, [pk]);
    }
  };
}

/** Tells when a user was deleted, in milliseconds; 0 if that is not kept. */
export function whenDeleted(sql: Sql): (owner: Owner) => Promise<number> {
  const { deletedUsers } = sql.tables;
  const keys = `SELECT DISTINCT key FROM ${deletedUsers} WHERE tenant = $1`;
  const times = `SELECT ${sql.milliseconds("at")} AS "at" FROM ${deletedUsers} WHERE tenant = $1 AND ${sql.isIn("hash", "$2", "text")}`;
  return async ({ tenant, userId }) => {
    const known = await sql.rows<{ readonly key: string }>("deleted_users_keys", keys, [tenant]);
    if (known.length === 0) {
      return 0;
    }
    const hashes = usersByHash(
      [userId],
      known.map(({ key }) => key),
    );
    const found = await sql.rows<{ readonly at: number }>("deleted_at", times, [tenant, JSON.stringify([...hashes.keys()])]);
    return Math.max(0, ...found.map(({ at }) => at));
  };
}

/** Forgets some of the deleted users whom no broadcast could reach any more, and answers how many. */
export function forgettingDeleted(sql: Sql): (limit: number) => Promise<number> {
  const { broadcasts, deletedUsers } = sql.tables;
  const forget = `DELETE FROM ${deletedUsers} WHERE (tenant, hash) IN (
      SELECT d.tenant, d.hash FROM ${deletedUsers} d
      WHERE NOT EXISTS (SELECT 1 FROM ${broadcasts} b WHERE b.tenant = d.tenant AND b.at <= d.at) LIMIT $1
    ) RETURNING hash`;
  return async (limit) => (await sql.rows("forget_deleted_users", forget, [limit])).length;
}

/** The statements that find, for a page of users, those who were deleted since the broadcast went out, whose key is $1. */
export function deletedSince({ broadcasts, deletedUsers }: Sql["tables"]): { readonly keys: string; gone(isAmong: string): string } {
  const since = `FROM ${broadcasts} b JOIN ${deletedUsers} d ON d.tenant = b.tenant AND d.at >= b.at WHERE b.pk = $1`;
  return { keys: `SELECT DISTINCT d.key ${since}`, gone: (isAmong) => `SELECT d.hash ${since} AND ${isAmong}` };
}

/** A page without the users that have these hashes. */
export function withoutDeleted(page: BroadcastPage, byHash: ReadonlyMap<string, string>, hashes: ReadonlySet<string>): BroadcastPage {
  const gone = new Set([...hashes].map((hash) => byHash.get(hash)));
  return gone.size === 0 ? page : { ...page, users: page.users.filter((userId) => !gone.has(userId)) };
}
