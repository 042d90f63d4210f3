import { createHash } from "node:crypto";
import type { JsonObject } from "@belfry/core";
import type {
  Choice,
  ChoicePlace,
  DecisionsStorage,
  OwnPreferences,
  PreferencesOwner,
  Settings,
  StoredPreferences,
  TenantChoice,
} from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import type { Sql, StoredChoice, StoredSettings } from "../database/sql.ts";
import { throttlesOf } from "./throttles.ts";

type ChoiceRow = Pick<StoredChoice, "scope" | "name" | "channel" | "value" | "isLocked" | "conditions">;

/** A row of either table: a choice has no settings, and settings have no choice. */
type PreferencesRow = Omit<StoredSettings, "tenant"> & ({ readonly scope: null } | ChoiceRow);

/** Choices and settings in a SQL database. */
export function decisionsStorage(sql: Sql): DecisionsStorage {
  return { ...readingOf(sql), ...choicesOf(sql), ...settingsOf(sql), ...throttlesOf(sql) };
}

function readingOf(sql: Sql): Pick<DecisionsStorage, "preferencesOf"> {
  const { choices, settings } = sql.tables;
  const owners = `tenant = $1 AND ${sql.isIn("user_id", "$2", "text")}`;
  const ofBoth = `SELECT user_id AS "userId", scope, name, channel, value, is_locked AS "isLocked", conditions,
      NULL AS "timeZone", NULL AS "quietHours", NULL AS "pauseUntil", NULL AS digest
    FROM ${choices} WHERE ${owners}
    UNION ALL SELECT user_id, NULL, NULL, NULL, NULL, NULL, NULL, time_zone, quiet_hours, pause_until, digest
    FROM ${settings} WHERE ${owners}`;
  return {
    async preferencesOf(tenant, userIds) {
      return gathered(await sql.rows<PreferencesRow>("preferences_of", ofBoth, [tenant, JSON.stringify(["", ...userIds])]));
    },
  };
}

function choicesOf(sql: Sql): Pick<DecisionsStorage, "setChoice" | "takeBack" | "erase" | "exportChoices"> {
  const { choices, settings, throttles } = sql.tables;
  const fields = fieldsOf<StoredChoice>(sql.schema.choices, sql);
  const own = "tenant = $1 AND user_id = $2";
  const others = `SELECT count(*) AS count FROM ${choices} WHERE ${own} AND place <> $3`;
  const changed = fields.assignments(
    (key) => `excluded.${fields.all.find(([one]) => one === key)?.[1].name}`,
    ["tenant", "userId", "place"],
  );
  const set = `INSERT INTO ${choices} (${fields.names}) VALUES (${fields.parameters})
    ON CONFLICT (tenant, user_id, place) DO UPDATE SET ${changed} RETURNING place`;
  const some = `SELECT place FROM ${choices} WHERE ${own} ORDER BY place LIMIT $3`;
  const page = `SELECT ${fields.columns("c")} FROM ${choices} c WHERE ${own} AND place > $3 ORDER BY place LIMIT $4`;
  return {
    async setChoice(owner, choice, most) {
      const { tenant, userId, place } = keyOf(owner, choice);
      const [found] = await sql.rows<{ readonly count: number }>("other_choices", others, [tenant, userId, place]);
      if ((found?.count ?? 0) >= most) {
        return false;
      }
      await sql.rows("set_choice", set, fields.values(storedChoice({ tenant, userId, place }, choice)));
      return true;
    },
    async takeBack(owner, of) {
      const { tenant, userId, place } = keyOf(owner, of);
      const taken = `DELETE FROM ${choices} WHERE ${own} AND place = $3 RETURNING place`;
      return (await sql.rows("take_back_choice", taken, [tenant, userId, place])).length > 0;
    },
    async erase({ tenant, userId }, limit) {
      const erased = `DELETE FROM ${choices} WHERE ${own} AND place IN (${some}) RETURNING place`;
      const removed = (await sql.rows("erase_choices", erased, [tenant, userId, limit])).length;
      if (removed >= limit) {
        return { removed, isDone: false };
      }
      const left = await sql.rows("erase_settings", `DELETE FROM ${settings} WHERE ${own} RETURNING user_id`, [tenant, userId]);
      const used = await sql.rows("erase_throttles", `DELETE FROM ${throttles} WHERE ${own} RETURNING place`, [tenant, userId]);
      return { removed: removed + left.length + used.length, isDone: true };
    },
    async exportChoices({ tenant, userId }, { after, limit }) {
      const rows = (await sql.rows("export_choices", page, [tenant, userId, after ?? "", limit])).map(fields.record);
      const next = rows.length < limit ? null : (rows.at(-1)?.place ?? null);
      return { records: rows.map(toChoice), next };
    },
  };
}

function settingsOf(sql: Sql): Pick<DecisionsStorage, "changeSettings" | "exportSettings"> {
  const { settings } = sql.tables;
  const fields = fieldsOf<StoredSettings>(sql.schema.settings, sql);
  const own = "tenant = $1 AND user_id = $2";
  const isEmpty = "time_zone IS NULL AND quiet_hours IS NULL AND pause_until IS NULL AND digest IS NULL";
  return {
    async changeSettings({ tenant, userId }, changes) {
      const stored = storedSettings(changes);
      const given = fields.all.filter(([key]) => key in stored);
      const names = given.map(([, { name }]) => name);
      const write = `INSERT INTO ${settings} (tenant, user_id, ${names.join(", ")})
        VALUES ($1, $2, ${names.map((_, index) => `$${index + 3}`).join(", ")})
        ON CONFLICT (tenant, user_id) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(", ")} RETURNING user_id`;
      const values = given.map(([key]) => stored[key]);
      await sql.rows("change_settings", write, [tenant, userId ?? "", ...values]);
      if (values.includes(null)) {
        await sql.rows("clear_settings", `DELETE FROM ${settings} WHERE ${own} AND ${isEmpty} RETURNING user_id`, [tenant, userId ?? ""]);
      }
    },
    async exportSettings({ tenant, userId }) {
      const rows = await sql.rows("export_settings", `SELECT ${fields.columns("s")} FROM ${settings} s WHERE ${own}`, [tenant, userId]);
      return { records: rows.map(fields.record).map(toSettings), next: null };
    },
  };
}

function keyOf({ tenant, userId }: PreferencesOwner, place: ChoicePlace) {
  return { tenant, userId: userId ?? "", place: choicePlace(place) };
}

/** The key of a choice among those of its owner. */
export function choicePlace({ scope, name, channel, when }: ChoicePlace): string {
  return createHash("sha256")
    .update([scope, name, channel ?? "", ...(when === null ? [] : [JSON.stringify(when)])].join("\u0000"))
    .digest("hex");
}

function storedChoice(key: ReturnType<typeof keyOf>, { scope, name, channel, value, isLocked, when }: TenantChoice): StoredChoice {
  return { ...key, scope, name, channel: channel ?? "", value, isLocked, conditions: when === null ? null : JSON.stringify(when) };
}

function toChoice({ scope, name, channel, value, conditions }: Omit<ChoiceRow, "isLocked">): Choice {
  const when = conditions === null ? null : (JSON.parse(conditions) as JsonObject);
  return { scope, name, channel: channel === "" ? null : channel, value, when };
}

/** The given settings as columns have them. */
function storedSettings(settings: Partial<Settings>): Partial<StoredSettings> {
  const { timeZone, quietHours, pauseUntil, digest } = settings;
  return {
    ...(timeZone === undefined ? {} : { timeZone }),
    ...(quietHours === undefined ? {} : { quietHours: json(quietHours) }),
    ...(pauseUntil === undefined ? {} : { pauseUntil: pauseUntil?.getTime() ?? null }),
    ...(digest === undefined ? {} : { digest: json(digest) }),
  };
}

function json(value: object | null): string | null {
  return value === null ? null : JSON.stringify(value);
}

function toSettings({ timeZone, quietHours, pauseUntil, digest }: Omit<StoredSettings, "tenant" | "userId">): Settings {
  return {
    timeZone,
    quietHours: quietHours === null ? null : (JSON.parse(quietHours) as NonNullable<Settings["quietHours"]>),
    pauseUntil: pauseUntil === null ? null : new Date(pauseUntil),
    digest: digest === null ? null : (JSON.parse(digest) as NonNullable<Settings["digest"]>),
  };
}

function gathered(rows: readonly PreferencesRow[]): StoredPreferences {
  const [ofTenant, ofUsers] = [rows.filter(({ userId }) => userId === ""), rows.filter(({ userId }) => userId !== "")];
  const users = [...Map.groupBy(ofUsers, ({ userId }) => userId)];
  return {
    // SQLite has booleans as numbers.
    tenant: ownOf(ofTenant, (row) => ({ ...toChoice(row), isLocked: Boolean(row.isLocked) })),
    users: new Map(users.map(([userId, own]) => [userId, ownOf(own, toChoice)])),
  };
}

function ownOf<Of extends Choice>(rows: readonly PreferencesRow[], choiceOf: (row: ChoiceRow) => Of): OwnPreferences<Of> {
  const [settings] = rows.filter((row) => row.scope === null).map(toSettings);
  return { choices: rows.flatMap((row) => (row.scope === null ? [] : choiceOf(row))), settings: settings ?? null };
}
