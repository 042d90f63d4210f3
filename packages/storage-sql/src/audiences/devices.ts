import { createHash } from "node:crypto";
import type { DevicePlatform, WebPushKeys } from "@belfry/core";
import { type DevicesStorage, type StoredDevice, shownDevice } from "@belfry/core/storage";
import { type Sql, selected } from "../database/sql.ts";

interface DeviceRow extends Pick<StoredDevice, "id" | "userId" | "token" | "app" | "name"> {
  readonly platform: DevicePlatform;
  readonly keys: string | null;
  readonly createdAt: number;
  readonly seenAt: number;
}

/** Devices in a SQL database. */
export function devicesStorage(sql: Sql): DevicesStorage {
  return { ...registering(sql), ...reading(sql), ...removing(sql) };
}

/** No device has this id. */
const BEFORE_ALL = "00000000-0000-0000-0000-000000000000";
const OF_USER = "d.tenant = $1 AND d.user_id = $2";
/** More than a user can have beyond their limit. */
const BEYOND = 1_000;

function registering(sql: Sql): Pick<DevicesStorage, "register"> {
  const { devices } = sql.tables;
  // PostgreSQL has every statement use all of the values.
  const given = (["text", "text", "bigint", "text"] as const)
    .map((type, index) => `${sql.cast(`$${index + 3}`, type)} IS NOT NULL`)
    .join(" AND ");
  const own = ["$1", "$2"].map((parameter) => `${sql.cast(parameter, "text")} IS NOT NULL`).join(" AND ");
  const field = (name: string) => `(${sql.asJson("$6")} ->> '${name}')`;
  const [at, id] = [sql.asTime(field("at")), sql.cast(field("id"), "uuid")];
  // Who registers for the same user meanwhile waits, and sees this device. Its rows would not do: they may all go meanwhile, or there are none.
  const hold = `SELECT ${sql.lock("'devices ' || $1 || ' ' || $2")} WHERE ${own} AND ${given}`;
  const same = `d.tenant = $1 AND d.platform = ${field("platform")} AND d.token_hash = $3`;
  // The device that is replaced stays, with the new token: whatever is under way to it goes on.
  const replaced = `SELECT 1 FROM ${devices} r WHERE r.tenant = $1 AND r.user_id = $2 AND ${sql.cast("r.id", "text")} = $4`;
  const makeRoom = `DELETE FROM ${devices} AS d WHERE ${same} AND ${sql.cast("d.id", "text")} <> $4 AND EXISTS (${replaced}) AND ${given}`;
  const replace = `UPDATE ${devices} AS d SET platform = ${field("platform")}, token_hash = $3 WHERE ${OF_USER} AND ${sql.cast("d.id", "text")} = $4 AND ${given}`;
  const isSame = "d.user_id = excluded.user_id";
  const add = `INSERT INTO ${devices} AS d (id, tenant, user_id, platform, token_hash, token, keys, app, name, created_at, seen_at)
    SELECT ${id}, $1, $2, ${field("platform")}, $3, ${["token", "keys", "app", "name"].map(field).join(", ")}, ${at}, ${at} WHERE ${own} AND ${given}
    ON CONFLICT (tenant, platform, token_hash) DO UPDATE SET
      id = CASE WHEN ${isSame} THEN d.id ELSE excluded.id END,
      created_at = CASE WHEN ${isSame} THEN d.created_at ELSE excluded.created_at END,
      user_id = excluded.user_id, token = excluded.token, keys = excluded.keys, app = excluded.app, name = excluded.name, seen_at = excluded.seen_at`;
  const beyond = `DELETE FROM ${devices} WHERE tenant = $1 AND id IN (SELECT d.id FROM ${devices} d WHERE ${OF_USER}
    ORDER BY CASE WHEN d.token_hash = $3 THEN 0 ELSE 1 END, d.seen_at DESC, d.id DESC LIMIT ${BEYOND} OFFSET $5) AND ${given}`;
  const find = `SELECT ${columnsOf(sql)} FROM ${devices} d WHERE ${OF_USER} AND d.platform = $3 AND d.token_hash = $4`;
  return {
    async register({ tenant, userId }, { keys, ...device }, { at: now, replaces, most }) {
      const hash = hashOf(device.token);
      const row = { ...device, keys: keys === null ? null : JSON.stringify(keys), at: sql.time(now) };
      const values = [tenant, userId, hash, replaces ?? "", most, JSON.stringify(row)];
      await sql.inTransaction("register_device", [hold, makeRoom, replace, add, beyond], values);
      const [found] = await sql.rows<DeviceRow>("registered_device", find, [tenant, userId, device.platform, hash]);
      // Another user may have registered the token since.
      return found === undefined ? { ...device, keys, userId, createdAt: now, seenAt: now } : toDevice(found);
    },
  };
}

function reading(sql: Sql): Pick<DevicesStorage, "of" | "export"> {
  const { devices } = sql.tables;
  const ofUsers = `SELECT ${columnsOf(sql)} FROM ${devices} d WHERE d.tenant = $1 AND ${sql.isIn("d.user_id", "$2", "text")} ORDER BY d.user_id, d.id`;
  const exported = `SELECT ${columnsOf(sql)} FROM ${devices} d WHERE ${OF_USER} AND d.id > ${sql.cast("$3", "uuid")} ORDER BY d.id LIMIT $4`;
  return {
    async of(tenant, userIds) {
      return (await sql.rows<DeviceRow>("devices", ofUsers, [tenant, JSON.stringify(userIds)])).map(toDevice);
    },
    async export({ tenant, userId }, { after, limit }) {
      const found = await sql.rows<DeviceRow>("export_devices", exported, [tenant, userId, after ?? BEFORE_ALL, limit]);
      const next = found.length < limit ? null : (found.at(-1)?.id ?? null);
      return { records: found.map((row) => shownDevice(toDevice(row))), next };
    },
  };
}

function removing(sql: Sql): Pick<DevicesStorage, "remove" | "removeGone" | "erase"> {
  const { devices } = sql.tables;
  const itsId = (parameter: `$${number}`) => `d.id = ${sql.cast(parameter, "uuid")}`;
  const remove = `DELETE FROM ${devices} AS d WHERE ${OF_USER} AND ${itsId("$3")} RETURNING id`;
  const gone = `DELETE FROM ${devices} AS d WHERE d.tenant = $1 AND ${itsId("$2")} AND d.token = $3 RETURNING id`;
  const erased = `DELETE FROM ${devices} WHERE tenant = $1 AND id IN (SELECT d.id FROM ${devices} d WHERE ${OF_USER} ORDER BY d.id LIMIT $3) RETURNING id`;
  return {
    async remove({ tenant, userId }, id) {
      return (await sql.rows("remove_device", remove, [tenant, userId, id])).length > 0;
    },
    async removeGone(tenant, { id, token }) {
      return (await sql.rows("remove_gone_device", gone, [tenant, id, token])).length > 0;
    },
    async erase({ tenant, userId }, limit) {
      const removed = (await sql.rows("erase_devices", erased, [tenant, userId, limit])).length;
      return { removed, isDone: removed < limit };
    },
  };
}

function columnsOf(sql: Sql): string {
  return selected({
    ...{ id: "d.id", userId: "d.user_id", platform: "d.platform", token: "d.token", keys: "d.keys", app: "d.app", name: "d.name" },
    ...{ createdAt: sql.milliseconds("d.created_at"), seenAt: sql.milliseconds("d.seen_at") },
  });
}

function toDevice({ keys, createdAt, seenAt, ...row }: DeviceRow): StoredDevice {
  const own = keys === null ? null : (JSON.parse(keys) as WebPushKeys);
  return { ...row, keys: own, createdAt: new Date(createdAt), seenAt: new Date(seenAt) };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}
