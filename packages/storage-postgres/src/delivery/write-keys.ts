import type { NewSend, SendCreated } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { lists, statement, timeOf } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";

type KeyRow = readonly [place: number, bodyHash: string, response: string | null, notificationId: string | null];

/** Stores idempotency keys; answers the sends whose key was used before. Waits for transactions that are using one now. */
export function prepareWriteKeys({ idempotencyKeys }: TableNames) {
  const insert = statement<[place: number]>(
    "write_keys",
    `WITH e AS (
      SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[]) WITH ORDINALITY AS e(tenant, key, body_hash, response, id, place)
    ),
    written AS (
      INSERT INTO ${idempotencyKeys} (tenant, key, body_hash, response, notification_id, created_at)
      SELECT tenant, key, body_hash, response, id, ${timeOf("$6")} FROM e ORDER BY tenant, key ON CONFLICT DO NOTHING RETURNING tenant, key
    )
    SELECT e.place::int FROM e JOIN written ON written.tenant = e.tenant COLLATE "C" AND written.key = e.key COLLATE "C"`,
  );
  const find = statement<KeyRow>(
    "used_keys",
    `SELECT e.place::int, k.body_hash, nullif(k.response, ''), k.notification_id FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(tenant, key, place)
    JOIN ${idempotencyKeys} k ON k.tenant = e.tenant AND k.key = e.key`,
  );
  return async (session: Session, sends: readonly NewSend[], at: string | null): Promise<Map<NewSend, SendCreated>> => {
    const keyed = sends.flatMap((send) => {
      const { tenant, id } = send.notification;
      return send.idempotency === null ? [] : [{ send, tenant, id, ...send.idempotency }];
    });
    if (keyed.length === 0) {
      return new Map();
    }
    const places = await session.rows(insert, [...lists(keyed, "tenant", "key", "bodyHash", "response", "id"), at]);
    const written = new Set(places.map(([place]) => place));
    if (written.size === keyed.length) {
      return new Map();
    }
    // A separate statement sees what the one above waited for.
    const used = await session.rows(find, lists(keyed, "tenant", "key"));
    return new Map(
      used.flatMap(([place, bodyHash, response, notificationId]) => {
        const send = keyed[place - 1]?.send;
        return send === undefined || written.has(place) ? [] : [[send, { kind: "repeated", bodyHash, response, notificationId }] as const];
      }),
    );
  };
}
