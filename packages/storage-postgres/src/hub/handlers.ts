import { type Handler, type HubEvent, type HubPage, isUuid, type JsonObject } from "@belfry/core";
import type { HubRange } from "@belfry/core/storage";
import type { Session } from "../database/connection.ts";
import { type JsonRow, milliseconds, statement } from "../database/statement.ts";
import type { TableNames } from "../database/table-names.ts";
import { pageStatement, toPage } from "./page.ts";

interface HandlerRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly prompt: string;
  readonly filter: JsonObject;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS = `h.id, h.tenant, h.source, h.prompt, h.filter, ${milliseconds("h.created_at")} AS created_at,
  ${milliseconds("h.updated_at")} AS updated_at`;

/** Writes a handler. */
export function prepareCreateHandler({ handlers }: TableNames) {
  const insert = statement<[]>(
    "create_handler",
    `INSERT INTO ${handlers} (id, tenant, source, prompt, filter, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  );
  return ({ id, tenant, source, prompt, filter, createdAt, updatedAt }: Handler) =>
    async (session: Session): Promise<void> => {
      await session.rows(insert, [id, tenant, source, prompt, JSON.stringify(filter), createdAt.toISOString(), updatedAt.toISOString()]);
    };
}

/** Finds a handler by its id. */
export function prepareFindHandler({ handlers }: TableNames) {
  const find = statement<JsonRow<HandlerRow>>(
    "find_handler",
    `SELECT to_json(x) FROM (SELECT ${COLUMNS} FROM ${handlers} h WHERE h.tenant = $1 AND h.id = $2) x`,
  );
  return (tenant: string, id: string) =>
    async (session: Session): Promise<Handler | null> => {
      const [row] = isUuid(id) ? await session.rows(find, [tenant, id]) : [];
      return row === undefined ? null : toHandler(row[0]);
    };
}

/** Reads all handlers of the events' sources, oldest first. */
export function prepareHandlersOf({ handlers }: TableNames) {
  const list = statement<JsonRow<HandlerRow>>(
    "handlers_of",
    `SELECT to_json(x) FROM (
      SELECT ${COLUMNS} FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS k(tenant, source)) k
      JOIN ${handlers} h ON h.tenant = k.tenant AND h.source = k.source ORDER BY h.created_at, h.pk) x`,
  );
  return async (session: Session, events: readonly HubEvent[]): Promise<(event: HubEvent) => readonly Handler[]> => {
    const rows = await session.rows(list, [events.map(({ tenant }) => tenant), events.map(({ source }) => source)]);
    const bySource = Map.groupBy(rows, ([{ tenant, source }]) => JSON.stringify([tenant, source]));
    return ({ tenant, source }) => (bySource.get(JSON.stringify([tenant, source])) ?? []).map(([row]) => toHandler(row));
  };
}

/** Reads a page of handlers, newest first. */
export function prepareListHandlers({ handlers }: TableNames) {
  const list = (operation: string, where: string) => {
    const counted = `${handlers} h WHERE h.tenant = $1${where}`;
    return pageStatement<HandlerRow>(operation, {
      counted,
      rows: `SELECT ${COLUMNS}, h.pk FROM ${counted} ORDER BY h.created_at DESC, h.pk DESC LIMIT $2 OFFSET $3`,
      order: "r.created_at DESC, r.pk DESC",
    });
  };
  const all = list("list_handlers", "");
  const bySource = list("list_handlers_of_source", " AND h.source = $4");
  return (tenant: string, { source, limit, offset }: HubRange & { readonly source?: string }) =>
    async (session: Session): Promise<HubPage<Handler>> => {
      const rows =
        source === undefined
          ? await session.rows(all, [tenant, limit, offset])
          : await session.rows(bySource, [tenant, limit, offset, source]);
      return toPage(rows, toHandler);
    };
}

/** Changes what is given of a handler. */
export function prepareUpdateHandler({ handlers }: TableNames) {
  const update = statement<JsonRow<HandlerRow>>(
    "update_handler",
    `WITH h AS (
      UPDATE ${handlers} SET source = coalesce($3, source), prompt = coalesce($4, prompt), filter = coalesce($5::json, filter), updated_at = $6
      WHERE tenant = $1 AND id = $2 RETURNING *
    )
    SELECT to_json(x) FROM (SELECT ${COLUMNS} FROM h) x`,
  );
  return (
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ) =>
    async (session: Session): Promise<Handler | null> => {
      const filter = change.filter === undefined ? null : JSON.stringify(change.filter);
      const values = [tenant, id, change.source ?? null, change.prompt ?? null, filter, change.at.toISOString()];
      const [row] = isUuid(id) ? await session.rows(update, values) : [];
      return row === undefined ? null : toHandler(row[0]);
    };
}

/** Deletes a handler. */
export function prepareDeleteHandler({ handlers }: TableNames) {
  const remove = statement<[pk: number]>("delete_handler", `DELETE FROM ${handlers} WHERE tenant = $1 AND id = $2 RETURNING pk`);
  return (tenant: string, id: string) =>
    async (session: Session): Promise<boolean> =>
      isUuid(id) && (await session.rows(remove, [tenant, id])).length > 0;
}

function toHandler({ id, tenant, source, prompt, filter, created_at, updated_at }: HandlerRow): Handler {
  return { id, tenant, source, prompt, filter, createdAt: new Date(created_at), updatedAt: new Date(updated_at) };
}
