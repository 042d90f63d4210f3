import type { Owner } from "@belfry/core";
import type { PresenceStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

const LEASE = "clock_timestamp() + $2 * interval '1 millisecond'";

const names = (owners: readonly Owner[]) => [owners.map(({ tenant }) => tenant), owners.map(({ userId }) => userId)];

/** Notes who came to an instance and who left it, for as long as its lease. Leases are the database's time. */
export function prepareAnnounce({ presence }: TableNames) {
  const join = statement<[]>(
    "presence_join",
    `INSERT INTO ${presence} (tenant, user_id, instance, lease_until)
    SELECT e.tenant, e.user_id, $1, ${LEASE} FROM unnest($3::text[], $4::text[]) AS e(tenant, user_id) ORDER BY 1, 2
    ON CONFLICT (tenant, user_id, instance) DO UPDATE SET lease_until = excluded.lease_until`,
  );
  const part = statement<[]>(
    "presence_part",
    `DELETE FROM ${presence} p USING unnest($2::text[], $3::text[]) AS e(tenant, user_id)
    WHERE p.tenant = e.tenant AND p.user_id = e.user_id AND p.instance = $1`,
  );
  return (instance: string, { joined, left }: Parameters<PresenceStorage["announce"]>[1], leaseMs: number) =>
    async (session: Session): Promise<void> => {
      if (joined.length > 0) {
        await session.rows(join, [instance, leaseMs, ...names(joined)]);
      }
      if (left.length > 0) {
        await session.rows(part, [instance, ...names(left)]);
      }
    };
}

/** Prolongs an instance's lease, and forgets what lost instances left. */
export function prepareRenewPresence({ presence }: TableNames) {
  const renew = statement<[]>("presence_renew", `UPDATE ${presence} SET lease_until = ${LEASE} WHERE instance = $1`);
  const sweep = statement<[]>("presence_sweep", `DELETE FROM ${presence} WHERE lease_until < clock_timestamp()`);
  return (instance: string, leaseMs: number) =>
    async (session: Session): Promise<void> => {
      await session.rows(renew, [instance, leaseMs]);
      await session.rows(sweep, []);
    };
}

/** Forgets everybody who was connected to an instance. */
export function prepareLeave({ presence }: TableNames) {
  const leave = statement<[]>("presence_leave", `DELETE FROM ${presence} WHERE instance = $1`);
  return (instance: string) =>
    async (session: Session): Promise<void> => {
      await session.rows(leave, [instance]);
    };
}

/** Tells who of some users is connected anywhere. */
export function prepareOnline({ presence }: TableNames) {
  const online = statement<[isOnline: boolean]>(
    "presence_online",
    `SELECT EXISTS (SELECT FROM ${presence} p WHERE p.tenant = e.tenant AND p.user_id = e.user_id AND p.lease_until > clock_timestamp())
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, user_id, place) ORDER BY e.place`,
  );
  return (owners: readonly Owner[]) =>
    async (session: Session): Promise<readonly boolean[]> =>
      (await session.rows(online, names(owners))).map(([isOnline]) => isOnline);
}

/** Who is connected to which instance, in PostgreSQL. */
export function postgresPresence(bound: Bound): PresenceStorage {
  return bind(bound, {
    announce: run(prepareAnnounce),
    renew: run(prepareRenewPresence),
    leave: run(prepareLeave),
    online: run(prepareOnline),
  });
}
