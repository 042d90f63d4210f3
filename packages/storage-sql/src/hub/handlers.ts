import { type Handler, isUuid } from "@belfry/core";
import type { HubStorage } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import { filteredBy, type Sql } from "../database/sql.ts";

/** Handlers in a SQL database. */
export function handlerStorage(
  sql: Sql,
): Pick<HubStorage, "createHandler" | "findHandler" | "listHandlers" | "updateHandler" | "deleteHandler"> {
  const { handlers } = sql.tables;
  const fields = fieldsOf<Handler>(sql.schema.handlers, sql);
  const columns = fields.columns();
  const own = "tenant = $1 AND id = $2";
  const one = async (name: string, text: string, [tenant, id, ...values]: readonly [tenant: string, id: string, ...unknown[]]) => {
    const [row] = isUuid(id) ? await sql.rows(name, text, [tenant, id.toLowerCase(), ...values]) : [];
    return row === undefined ? null : fields.record(row);
  };
  return {
    async createHandler(handler) {
      const create = `INSERT INTO ${handlers} (${fields.names}) VALUES (${fields.parameters}) RETURNING id`;
      await sql.rows("create_handler", create, fields.values(handler));
    },
    findHandler: (tenant, id) => one("find_handler", `SELECT ${columns} FROM ${handlers} WHERE ${own}`, [tenant, id]),
    async listHandlers(tenant, { source, limit, offset }) {
      const { and, values } = filteredBy([[source, (given) => `source = ${given}`]]);
      const counted = `${handlers} WHERE tenant = $1${and}`;
      const rows = `SELECT ${columns}, pk FROM ${counted} ORDER BY created_at DESC, pk DESC LIMIT $2 OFFSET $3`;
      const parts = { counted, rows, order: `"createdAt" DESC, pk DESC` };
      const { items, total } = await sql.page("list_handlers", parts, [tenant, limit, offset, ...values]);
      return { items: items.map(fields.record), total };
    },
    updateHandler: (tenant, id, { source = null, prompt = null, filter, at }) => {
      const set = "source = coalesce($3, source), prompt = coalesce($4, prompt), filter = coalesce($5, filter), updated_at = $6";
      const update = `UPDATE ${handlers} SET ${set} WHERE ${own} RETURNING ${columns}`;
      return one("update_handler", update, [tenant, id, source, prompt, filter === undefined ? null : JSON.stringify(filter), at]);
    },
    deleteHandler: async (tenant, id) =>
      (await one("delete_handler", `DELETE FROM ${handlers} WHERE ${own} RETURNING ${columns}`, [tenant, id])) !== null,
  };
}
