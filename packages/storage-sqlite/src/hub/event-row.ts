import type { HubEvent, IdentifiedEvent, JsonObject } from "@belfry/core";
import { sql } from "drizzle-orm";

/** An event as SQLite gives it. Times in milliseconds. */
export interface EventRow {
  readonly id: string;
  readonly tenant: string;
  readonly source: string;
  readonly sender: string;
  readonly message: string;
  readonly data: string;
  readonly received_at: number;
}

/** An event with who its sender is known to be. */
export interface IdentifiedEventRow extends EventRow {
  readonly identity_id: string | null;
  readonly identity_name: string | null;
}

/** The columns of an {@link EventRow}, over the tables `e` (events) and `n` (notifications). */
export const EVENT_COLUMNS = sql`n.id, e.tenant, e.source, e.sender, n.message, n.data, e.received_at`;

/** The columns of an {@link IdentifiedEventRow}, over `e`, `n` and `i` (identities), and how to join `i`. */
export const IDENTIFIED_EVENT_COLUMNS = sql`${EVENT_COLUMNS}, i.id as identity_id, i.name as identity_name`;
export const JOIN_IDENTITY = sql`left join belfry_identities i on i.tenant = e.tenant and i.source = e.source and i.source_id = e.sender`;

/** The event that a row stands for. */
export function toEvent({ id, tenant, source, sender, message, data, received_at }: EventRow): HubEvent {
  return { id, tenant, source, sender, content: message, metadata: JSON.parse(data) as JsonObject, receivedAt: new Date(received_at) };
}

/** The event that a row stands for, with its sender's identity. */
export function toIdentifiedEvent(row: IdentifiedEventRow): IdentifiedEvent {
  const { identity_id: id, identity_name: name } = row;
  return { ...toEvent(row), identity: id === null || name === null ? null : { id, name } };
}
