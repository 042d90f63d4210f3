import { createHash } from "node:crypto";
import { POSTGRES_TABLES } from "@belfry/storage-sql";
import pg from "pg";
import type { Session } from "../database/connection.ts";
import { MOVING_STATE } from "../database/errors.ts";
import { MOVING_TRIGGERS } from "../database/moving-tenants.ts";
import { statement } from "../database/statement.ts";
import { quoteIdentifier, type TableNames } from "../database/table-names.ts";
import { MOVED_TABLES } from "./moved-tables.ts";

/** The setting with which the move itself writes. */
const MOVER_SETTING = "belfry.mover_of";

const actAsMover = statement<[]>("move_as_mover", `SELECT FROM (SELECT set_config('${MOVER_SETTING}', $1, $2::boolean)) s`);

/** Lets the rest of a transaction, or of a connection, write rows of a tenant that is frozen. */
export async function asMover(session: Session, tenant: string, part: "transaction" | "connection" = "transaction"): Promise<void> {
  await session.rows(actAsMover, [tenant, part === "transaction"]);
}

/** The functions of the triggers. */
const FUNCTIONS = { tenants: "belfry_moving", parts: "belfry_moving_part" } as const;

/** What a trigger's function does once it knows that the row is of the tenant that moves. */
const REFUSE = `IF TG_ARGV[1] = 'skip' OR (TG_ARGV[1] = 'skip_deletes' AND TG_OP = 'DELETE') THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'The data of this tenant is moving to another database.' USING ERRCODE = '${MOVING_STATE}';`;

const PASS = `RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;`;

/**
 * Makes the functions that refuse a change of a row of the tenant that is their first argument. The second argument says how: `refuse` raises an error, `skip`
 * leaves the row as it is, as claims may, which come again, and `skip_deletes` does that for deletes alone, as sweeps may. For a table without
 * tenants, the third and fourth name the table that its rows belong to, and the column that says where.
 */
export function movingFunctions(schema: string): readonly string[] {
  const made = (name: string, body: string) =>
    `CREATE OR REPLACE FUNCTION ${quoteIdentifier(schema)}.${name}() RETURNS trigger LANGUAGE plpgsql AS $$ ${body} $$`;
  const isMover = `current_setting('${MOVER_SETTING}', true) IS NOT DISTINCT FROM TG_ARGV[0]`;
  return [
    made(
      FUNCTIONS.tenants,
      `BEGIN
  IF ${isMover} OR NOT ((TG_OP <> 'INSERT' AND OLD.tenant = TG_ARGV[0]) OR (TG_OP <> 'DELETE' AND NEW.tenant = TG_ARGV[0])) THEN
    ${PASS}
  END IF;
  ${REFUSE}
END`,
    ),
    made(
      FUNCTIONS.parts,
      `DECLARE
  is_tenants boolean;
BEGIN
  EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I p WHERE p.tenant = $1 AND p.pk = ($2 ->> %L)::bigint)', TG_TABLE_SCHEMA, TG_ARGV[2], TG_ARGV[3])
    INTO is_tenants USING TG_ARGV[0], CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END;
  IF ${isMover} OR NOT is_tenants THEN
    ${PASS}
  END IF;
  ${REFUSE}
END`,
    ),
  ];
}

/** A trigger that a move makes. */
export interface MovingTrigger {
  readonly table: keyof TableNames;
  /** PostgreSQL runs triggers by their names: what is skipped is to be skipped before something refuses it. */
  readonly name: "claim" | "begin" | "freeze";
  readonly events: string;
  readonly when?: string;
  readonly how: "refuse" | "skip" | "skip_deletes";
  /** The table and the column that say whose the rows are, where they do not say it themselves. */
  readonly by?: readonly [table: string, column: string];
}

const LEASED = ["deliveries", "digests", "processingRecords"] as const;

/** Tables from which sweeps over all tenants delete: they are to go on with the rows of others. */
const SWEPT: readonly (keyof TableNames)[] = ["throttles", "idempotencyKeys", "softBounces", "inboxChanges", "digests"];

/** Lets what is under way come to its end, and nothing begin that a move would have to wait for. */
export function drainingTriggers(tenant: string): readonly MovingTrigger[] {
  const isTenants = (row: "NEW" | "OLD") => `${row}.tenant = ${pg.escapeLiteral(tenant)}`;
  const insert = { name: "begin", events: "INSERT", how: "refuse" } as const;
  const claims = LEASED.flatMap((table): MovingTrigger[] => [
    {
      ...{ table, name: "claim", events: "UPDATE", how: "skip" },
      when: `${isTenants("OLD")} AND OLD.lease_owner IS NULL AND NEW.lease_owner IS NOT NULL`,
    },
    { table, ...insert, when: `${isTenants("NEW")} AND NEW.lease_owner IS NOT NULL` },
  ]);
  return [
    ...claims,
    { table: "fanOuts", ...insert, when: isTenants("NEW") },
    { table: "audiences", ...insert, when: `${isTenants("NEW")} AND NEW.source IS NOT NULL` },
    { table: "notifications", name: "begin", events: "UPDATE", how: "refuse", when: `${isTenants("OLD")} AND NEW.tenant <> OLD.tenant` },
  ];
}

/** Tables that are written for all tenants at once, and where a row may be missing. */
const SAMPLED: readonly (keyof TableNames)[] = ["backlogSamples"];

/** Refuses every change of the tenant's rows. */
export function freezingTriggers(): readonly MovingTrigger[] {
  return MOVED_TABLES.map(({ table, path }) => {
    const trigger = {
      table,
      name: "freeze",
      events: "INSERT OR UPDATE OR DELETE",
      how: howToFreeze(table),
    } as const;
    if ("tenant" in POSTGRES_TABLES[table].columns) {
      return trigger;
    }
    return { ...trigger, by: path === "deliveries" ? ["belfry_deliveries", "delivery_pk"] : ["belfry_notifications", "notification_pk"] };
  });
}

function howToFreeze(table: keyof TableNames): MovingTrigger["how"] {
  return SAMPLED.includes(table) ? "skip" : SWEPT.includes(table) ? "skip_deletes" : "refuse";
}

/** Where triggers are, and whose. */
export interface TriggerPlace {
  readonly tenant: string;
  readonly schema: string;
  readonly tables: TableNames;
}

/** The statements that make a trigger anew. */
export function makeTrigger(trigger: MovingTrigger, place: TriggerPlace): readonly string[] {
  const { table, events, when, how, by } = trigger;
  const args = [place.tenant, how, ...(by ?? [])].map((arg) => pg.escapeLiteral(arg)).join(", ");
  const made = `${quoteIdentifier(place.schema)}.${by === undefined ? FUNCTIONS.tenants : FUNCTIONS.parts}`;
  return [
    dropTrigger(trigger, place),
    `CREATE TRIGGER ${nameOf(trigger, place.tenant)} BEFORE ${events} ON ${place.tables[table]} FOR EACH ROW
    ${when === undefined ? "" : `WHEN (${when})`} EXECUTE FUNCTION ${made}(${args})`,
  ];
}

/** The statement that removes a trigger. */
export function dropTrigger(trigger: MovingTrigger, { tenant, tables }: TriggerPlace): string {
  return `DROP TRIGGER IF EXISTS ${nameOf(trigger, tenant)} ON ${tables[trigger.table]}`;
}

/** Two tenants may move at once, and names of tenants are longer than those of triggers may be. */
function nameOf({ name }: MovingTrigger, tenant: string): string {
  return quoteIdentifier(`${MOVING_TRIGGERS}${name}_${createHash("sha256").update(tenant).digest("hex").slice(0, 24)}`);
}
