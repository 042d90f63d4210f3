import type { Handler, HubPage, JsonObject } from "@belfry/core";
import type { HubRange } from "@belfry/core/storage";
import { sql } from "drizzle-orm";
import type { QueryContext } from "../database/statement.ts";

interface HandlerRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly prompt: string;
  readonly filter: string;
  readonly created_at: number;
  readonly updated_at: number;
}

const COLUMNS = sql.raw("id, tenant, source, prompt, filter, created_at, updated_at");
const OWN = sql`tenant = ${sql.placeholder("tenant")} and id = ${sql.placeholder("id")}`;

interface HandlerName {
  readonly tenant: string;
  readonly id: string;
}

/** Writes a handler. */
export function prepareCreateHandler({ prepare }: QueryContext) {
  const insert = prepare<Omit<HandlerRow, "created_at" | "updated_at"> & { readonly createdAt: number; readonly updatedAt: number }>(sql`
    insert into belfry_handlers (${COLUMNS}) values (${sql.placeholder("id")}, ${sql.placeholder("tenant")}, ${sql.placeholder("source")},
      ${sql.placeholder("prompt")}, ${sql.placeholder("filter")}, ${sql.placeholder("createdAt")}, ${sql.placeholder("updatedAt")})`);
  return ({ filter, createdAt, updatedAt, ...handler }: Handler): void => {
    insert.run({ ...handler, filter: JSON.stringify(filter), createdAt: createdAt.getTime(), updatedAt: updatedAt.getTime() });
  };
}

/** Finds a handler by its id. */
export function prepareFindHandler({ prepare }: QueryContext) {
  const find = prepare<HandlerName, HandlerRow>(sql`select ${COLUMNS} from belfry_handlers where ${OWN}`);
  return (tenant: string, id: string): Handler | null => {
    const row = find.get({ tenant, id: id.toLowerCase() });
    return row === undefined ? null : toHandler(row);
  };
}

/** Reads all handlers of a source, oldest first. */
export function prepareHandlersOf({ prepare }: QueryContext) {
  const list = prepare<{ readonly tenant: string; readonly source: string }, HandlerRow>(sql`
    select ${COLUMNS} from belfry_handlers where tenant = ${sql.placeholder("tenant")} and source = ${sql.placeholder("source")}
    order by created_at, pk`);
  return (tenant: string, source: string): readonly Handler[] => list.all({ tenant, source }).map(toHandler);
}

/** Reads a page of handlers, newest first. */
export function prepareListHandlers({ prepare }: QueryContext) {
  interface Filters {
    readonly tenant: string;
    readonly source: string | undefined;
  }
  const statements = (where: ReturnType<typeof sql>) => ({
    count: prepare<Filters, { readonly total: number }>(sql`select count(*) as total from belfry_handlers where ${where}`),
    page: prepare<Filters & HubRange, HandlerRow>(sql`
      select ${COLUMNS} from belfry_handlers where ${where} order by created_at desc, pk desc
      limit ${sql.placeholder("limit")} offset ${sql.placeholder("offset")}`),
  });
  const ofTenant = sql`tenant = ${sql.placeholder("tenant")}`;
  const all = statements(ofTenant);
  const bySource = statements(sql`${ofTenant} and source = ${sql.placeholder("source")}`);
  return (tenant: string, { source, limit, offset }: HubRange & { readonly source?: string }): HubPage<Handler> => {
    const { count, page } = source === undefined ? all : bySource;
    const filters = { tenant, source };
    return { items: page.all({ ...filters, limit, offset }).map(toHandler), total: count.get(filters)?.total ?? 0 };
  };
}

/** Changes what is given of a handler. */
export function prepareUpdateHandler({ prepare }: QueryContext) {
  interface Values extends HandlerName {
    readonly source: string | null;
    readonly prompt: string | null;
    readonly filter: string | null;
    readonly at: number;
  }
  const update = prepare<Values, HandlerRow>(sql`
    update belfry_handlers set source = coalesce(${sql.placeholder("source")}, source), prompt = coalesce(${sql.placeholder("prompt")}, prompt),
      filter = coalesce(${sql.placeholder("filter")}, filter), updated_at = ${sql.placeholder("at")} where ${OWN} returning ${COLUMNS}`);
  return (
    tenant: string,
    id: string,
    change: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Handler | null => {
    const filter = change.filter === undefined ? null : JSON.stringify(change.filter);
    const values = { source: change.source ?? null, prompt: change.prompt ?? null, filter, at: change.at.getTime() };
    const [row] = update.all({ tenant, id: id.toLowerCase(), ...values });
    return row === undefined ? null : toHandler(row);
  };
}

/** Deletes a handler. */
export function prepareDeleteHandler({ prepare }: QueryContext) {
  const remove = prepare<HandlerName>(sql`delete from belfry_handlers where ${OWN}`);
  return (tenant: string, id: string): boolean => remove.run({ tenant, id: id.toLowerCase() }).changes > 0;
}

function toHandler({ filter, created_at, updated_at, ...row }: HandlerRow): Handler {
  return { ...row, filter: JSON.parse(filter) as JsonObject, createdAt: new Date(created_at), updatedAt: new Date(updated_at) };
}
