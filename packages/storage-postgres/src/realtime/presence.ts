import type { Owner } from "@belfry/core";
import type { HoldingInstance, PresenceChange, PresenceStorage } from "@belfry/core/storage";
import { type Bound, bind, run } from "../database/bind.ts";
import type { Session } from "../database/connection.ts";
import { lists, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

const NOBODY: PresenceChange = { joined: [], left: [] };

/** The row of an instance itself; tenants and users have names. */
const OWN_ROW = "tenant = '' AND user_id = ''";

/**
 * Renews the lease of an instance and stores who came and left, in one statement. Leases are the database's time. The lease is
 * the instance's own row; the rows of its users last as long as that one.
 */
export function prepareAnnounce({ presence }: TableNames) {
  const announce = statement<[wasKnown: boolean]>(
    "presence_announce",
    `WITH own AS (
      INSERT INTO ${presence} AS p (tenant, user_id, instance, lease_until)
      VALUES ('', '', $1, clock_timestamp() + $2 * interval '1 millisecond')
      ON CONFLICT (tenant, user_id, instance)
      DO UPDATE SET lease_until = greatest(excluded.lease_until, p.lease_until + interval '1 millisecond')
      RETURNING xmax <> 0 AS was_known
    ), joined AS (
      INSERT INTO ${presence} (tenant, user_id, instance, lease_until)
      SELECT e.tenant, e.user_id, $1, 'infinity' FROM unnest($3::text[], $4::text[]) AS e(tenant, user_id) ORDER BY 1, 2
      ON CONFLICT DO NOTHING
    ), gone AS (
      DELETE FROM ${presence} p USING unnest($5::text[], $6::text[]) AS e(tenant, user_id)
      WHERE p.tenant = e.tenant AND p.user_id = e.user_id AND p.instance = $1
    )
    SELECT was_known FROM own`,
  );
  // Older instances have leases on each row, and delete an instance's row without its users.
  const sweepOlder = statement<[]>(
    "presence_sweep_older",
    `DELETE FROM ${presence} p WHERE NOT (${OWN_ROW}) AND (lease_until < clock_timestamp() OR (
      lease_until = 'infinity' AND NOT EXISTS (SELECT FROM ${presence} i WHERE i.tenant = '' AND i.user_id = '' AND i.instance = p.instance)
    ))`,
  );
  return (instance: string, { joined, left }: PresenceChange, leaseMs: number) =>
    async (session: Session): Promise<boolean> => {
      const [[wasKnown] = [false]] = await session.rows(announce, [
        instance,
        leaseMs,
        ...lists(joined, "tenant", "userId"),
        ...lists(left, "tenant", "userId"),
      ]);
      if (!wasKnown) {
        await session.rows(sweepOlder, []);
      }
      return wasKnown;
    };
}

/** Renews an instance's lease, and forgets the instances whose lease has ended. */
export function prepareRenewPresence(tables: TableNames) {
  const { presence } = tables;
  const announce = prepareAnnounce(tables);
  const sweep = statement<[]>(
    "presence_sweep",
    `WITH ended AS (DELETE FROM ${presence} WHERE ${OWN_ROW} AND lease_until < clock_timestamp() RETURNING instance)
    DELETE FROM ${presence} p USING ended WHERE p.instance = ended.instance AND p.tenant <> ''`,
  );
  return (instance: string, leaseMs: number) =>
    async (session: Session): Promise<boolean> => {
      const wasKnown = await announce(instance, NOBODY, leaseMs)(session);
      await session.rows(sweep, []);
      return wasKnown;
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

/** Finds the living instances that users are connected to. The row of a user of an older instance has a lease of its own. */
export function prepareHolding({ presence }: TableNames) {
  const holding = statement<[place: number, instance: string, leasedUntilMs: number | null]>(
    "presence_holding",
    `SELECT e.place::int, p.instance, (extract(epoch FROM i.lease_until) * 1000)::float8
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, user_id, place)
    JOIN ${presence} p ON p.tenant = e.tenant AND p.user_id = e.user_id
    LEFT JOIN ${presence} i ON i.tenant = '' AND i.user_id = '' AND i.instance = p.instance
    WHERE coalesce(i.lease_until, nullif(p.lease_until, 'infinity')) > clock_timestamp()`,
  );
  return (owners: readonly Owner[]) =>
    async (session: Session): Promise<readonly (readonly HoldingInstance[])[]> => {
      const found = owners.map((): HoldingInstance[] => []);
      for (const [place, instance, leasedUntilMs] of await session.rows(holding, lists(owners, "tenant", "userId"))) {
        found[place - 1]?.push({ instance, leasedUntilMs });
      }
      return found;
    };
}

/** Who is connected to which instance, in PostgreSQL. */
export function postgresPresence(bound: Bound): PresenceStorage {
  return bind(bound, {
    announce: run(prepareAnnounce),
    renew: run(prepareRenewPresence),
    leave: run(prepareLeave),
    holding: run(prepareHolding),
  });
}
