import type { SocketTicketStorage, StoredTicket } from "@belfry/core/storage";
import { fieldsOf } from "../database/fields.ts";
import type { Sql } from "../database/sql.ts";

/** Tickets for WebSockets in a SQL database. */
export function socketTicketStorage(sql: Sql): SocketTicketStorage {
  const { socketTickets } = sql.tables;
  const fields = fieldsOf<StoredTicket>(sql.schema.socketTickets, sql);
  const add = `INSERT INTO ${socketTickets} (${fields.names}) VALUES (${fields.parameters}) RETURNING digest`;
  const sweep = `DELETE FROM ${socketTickets} WHERE expires_at <= $1 RETURNING digest`;
  const take = `DELETE FROM ${socketTickets} WHERE digest = $1 AND expires_at > $2 RETURNING sealed`;
  return {
    async add(ticket, now) {
      await sql.rows("sweep_tickets", sweep, [now]);
      await sql.rows("add_ticket", add, fields.values(ticket));
    },
    async take(digest, now) {
      const [row] = await sql.rows<Pick<StoredTicket, "sealed">>("take_ticket", take, [digest, now]);
      return row?.sealed ?? null;
    },
  };
}
