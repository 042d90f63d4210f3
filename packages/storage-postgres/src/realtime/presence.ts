import type { Owner } from "@belfry/core";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

/** Every operation on presence. Leases are the database's time. */
export function preparePresence({ presence }: TableNames) {
  const lease = "clock_timestamp() + $2 * interval '1 millisecond'";
  const join = statement<[]>(
    "presence_join",
    `INSERT INTO ${presence} (tenant, user_id, instance, lease_until)
    SELECT e.tenant, e.user_id, $1, ${lease} FROM unnest($3::text[], $4::text[]) AS e(tenant, user_id) ORDER BY 1, 2
    ON CONFLICT (tenant, user_id, instance) DO UPDATE SET lease_until = excluded.lease_until`,
  );
  const part = statement<[]>(
    "presence_part",
    `DELETE FROM ${presence} p USING unnest($2::text[], $3::text[]) AS e(tenant, user_id)
    WHERE p.tenant = e.tenant AND p.user_id = e.user_id AND p.instance = $1`,
  );
  const renew = statement<[]>("presence_renew", `UPDATE ${presence} SET lease_until = ${lease} WHERE instance = $1`);
  const sweep = statement<[]>("presence_sweep", `DELETE FROM ${presence} WHERE lease_until < clock_timestamp()`);
  const leave = statement<[]>("presence_leave", `DELETE FROM ${presence} WHERE instance = $1`);
  const online = statement<[isOnline: boolean]>(
    "presence_online",
    `SELECT EXISTS (SELECT FROM ${presence} p WHERE p.tenant = e.tenant AND p.user_id = e.user_id AND p.lease_until > clock_timestamp())
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, user_id, place) ORDER BY e.place`,
  );
  const names = (owners: readonly Owner[]) => [owners.map(({ tenant }) => tenant), owners.map(({ userId }) => userId)];
  return {
    async announce(
      session: Session,
      instance: string,
      { joined, left, leaseMs }: { readonly joined: readonly Owner[]; readonly left: readonly Owner[]; readonly leaseMs: number },
    ): Promise<void> {
      if (joined.length > 0) {
        await session.rows(join, [instance, leaseMs, ...names(joined)]);
      }
      if (left.length > 0) {
        await session.rows(part, [instance, ...names(left)]);
      }
    },
    /** Also forgets what lost instances left. */
    async renew(session: Session, instance: string, leaseMs: number): Promise<void> {
      await session.rows(renew, [instance, leaseMs]);
      await session.rows(sweep, []);
    },
    async leave(session: Session, instance: string): Promise<void> {
      await session.rows(leave, [instance]);
    },
    async online(session: Session, owners: readonly Owner[]): Promise<readonly boolean[]> {
      return (await session.rows(online, names(owners))).map(([isOnline]) => isOnline);
    },
  };
}
