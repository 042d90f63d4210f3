import { createHash } from "node:crypto";
import type { Session } from "../database/connection.ts";
import { statement } from "../database/statement.ts";

/** PostgreSQL cuts longer names of channels. */
const MAX_CHANNEL_BYTES = 63;

const send = statement<[]>("notify", "SELECT FROM (SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS p(payload)) sent");

/** The channel of the Belfry tables in a PostgreSQL schema. Channels belong to a database, so the schema is enough. */
export function channelOf(schema: string): string {
  const channel = `belfry_${schema}`;
  return Buffer.byteLength(channel) <= MAX_CHANNEL_BYTES
    ? channel
    : `belfry_${createHash("sha256").update(schema).digest("hex").slice(0, 32)}`;
}

/** Sends payloads in their order: at once, or, inside a transaction, when it commits. */
export async function notify(session: Session, channel: string, payloads: readonly string[]): Promise<void> {
  await session.rows(send, [channel, payloads]);
}
