import type { ActivityContent, ActivitySummary, DeliveryReason, DeliveryStatus, JsonObject } from "@belfry/core";
import type { ActivityStorage, DeliveryUnderWay, StoredSummary } from "@belfry/core/storage";
import { type Dialect, parsed, type Sql, selected, type Tables } from "../database/sql.ts";

const EXCERPT_LENGTH = 200;
const MAX_COUNTED_RECIPIENTS = 1_000;
/** How many deliveries of a notification a line looks at, and how many of those under way and of those that failed it shows. */
const LOOKED_AT = 1_000;
const SHOWN_UNDER_WAY = 20;
const SHOWN_FAILED = 5;

/** A delivery under way; times in milliseconds. */
type UnderWayRow = readonly [
  status: DeliveryStatus,
  reason: DeliveryReason | null,
  reasonSource: string | null,
  attempt: number,
  attemptsBefore: number,
  dueAt: number | null,
  leaseOwner: string | null,
  failures: number | null,
  openUntil: number | null,
  error: string | null,
  errorAt: number | null,
];

/** One line of a search. Times in milliseconds; lists parsed or in JSON. */
export interface SummaryRow
  extends Omit<ActivitySummary, "recipients" | "channels" | "createdAt" | "isForEveryone" | "standing" | "lastError"> {
  readonly isForEveryone: boolean | number;
  /** The first three, null where there are fewer; null for none. */
  readonly recipients: readonly (string | null)[] | string | null;
  /** Of a send; else null. */
  readonly channels: readonly string[] | string | null;
  readonly fallbackChannel: string | null;
  readonly createdAt: number;
  /** Null for none. */
  readonly underWay: readonly UnderWayRow[] | string | null;
  readonly recordError: string | null;
}

/** The columns of a {@link SummaryRow}, of the notification `n` and, where it has them, its tracking `t` and its send `s`. */
export function summaryColumns(
  dialect: Dialect,
  tables: Pick<
    Tables,
    "broadcasts" | "circuits" | "deliveries" | "deliveryAttempts" | "endedBroadcasts" | "inboxItems" | "processingRecords"
  >,
): string {
  const { broadcasts, endedBroadcasts, inboxItems, deliveries } = tables;
  const { list, listOfRows } = dialect.json;
  const users = (columns: string, rest: string) => `SELECT ${columns} FROM ${inboxItems} i WHERE i.notification_pk = n.pk ${rest}`;
  const ofSend = (value: string, otherwise: string) => `CASE WHEN s.notification_pk IS NOT NULL THEN ${value} ELSE (${otherwise}) END`;
  const columns: Readonly<Record<keyof SummaryRow, string>> = {
    id: "n.id",
    kind: "n.kind",
    type: "CASE n.kind WHEN 'event' THEN coalesce(n.source, '') ELSE n.type END",
    title: "n.title",
    excerpt: `substr(n.message, 1, ${EXCERPT_LENGTH})`,
    createdAt: dialect.milliseconds("n.created_at"),
    status: "t.status",
    // With an offset, PostgreSQL looks for each by key. Without, it may read all of them.
    isForEveryone: `(EXISTS (SELECT 1 FROM ${broadcasts} b WHERE b.notification_pk = n.pk LIMIT 1 OFFSET 0)
      OR EXISTS (SELECT 1 FROM ${endedBroadcasts} b WHERE b.notification_pk = n.pk LIMIT 1 OFFSET 0))`,
    channels: `coalesce(s.channels, CASE WHEN t.channel IS NOT NULL THEN ${list}(t.channel) END)`,
    fallbackChannel: `CASE WHEN s.has_fallback THEN (
      SELECT d.channel FROM ${deliveries} d WHERE d.notification_pk = n.pk AND d.is_fallback LIMIT 1) END`,
    underWay: `CASE WHEN t.status IN ('pending', 'failed', 'partial') THEN (${underWay(dialect, tables)}) END`,
    recordError: `CASE n.kind WHEN 'event' THEN (SELECT r.error FROM ${tables.processingRecords} r
      WHERE r.notification_pk = n.pk AND r.status IN ('PENDING', 'FAILED') AND r.error IS NOT NULL ORDER BY r.pk DESC LIMIT 1) END`,
    recipients: ofSend(
      `${list}(s.recipients ->> 0, s.recipients ->> 1, s.recipients ->> 2)`,
      `SELECT ${listOfRows}(recipient.user_id) FROM (${users("i.user_id", "ORDER BY i.user_id LIMIT 3")}) recipient`,
    ),
    recipientCount: ofSend(
      "json_array_length(s.recipients) + s.erased_recipients",
      `SELECT count(*) FROM (${users("1", `LIMIT ${MAX_COUNTED_RECIPIENTS}`)}) recipient`,
    ),
  };
  return selected(columns);
}

/** A list of the deliveries of the notification `n` that wait, are under way or failed. What belongs to each is looked up by key. */
function underWay(
  { milliseconds, json: { list, listOfRows } }: Dialect,
  tables: Pick<Tables, "circuits" | "deliveries" | "deliveryAttempts">,
) {
  const first = `SELECT d.* FROM ${tables.deliveries} d WHERE d.notification_pk = n.pk ORDER BY d.chain, d.is_fallback LIMIT ${LOOKED_AT}`;
  const some = (statuses: string, limit: number) =>
    `SELECT * FROM (SELECT * FROM (${first}) listed WHERE listed.status IN (${statuses}) LIMIT ${limit}) listed`;
  const ofCircuit = (column: string) =>
    `(SELECT ${column} FROM ${tables.circuits} c WHERE c.channel = listed.channel AND c.recipient = listed.recipient)`;
  const ofAttempt = (column: string) =>
    `(SELECT ${column} FROM ${tables.deliveryAttempts} a WHERE a.delivery_pk = listed.pk ORDER BY a.attempt DESC LIMIT 1)`;
  const values = [
    ...[
      "listed.status",
      "listed.reason",
      "listed.reason_source",
      "listed.attempt",
      "listed.attempts_before",
      milliseconds("listed.due_at"),
      "listed.lease_owner",
    ],
    ...[ofCircuit("c.failures"), ofCircuit(milliseconds("c.open_until"))],
    ...[ofAttempt("a.error"), ofAttempt(milliseconds("a.finished_at"))],
  ];
  return `SELECT ${listOfRows}(${list}(${values.join(", ")}))
    FROM (${some("'pending', 'waiting'", SHOWN_UNDER_WAY)} UNION ALL ${some("'failed'", SHOWN_FAILED)}) listed`;
}

function toUnderWay(row: UnderWayRow): DeliveryUnderWay {
  const [status, reason, reasonSource, attempt, attemptsBefore, dueAt, leaseOwner, failures, openUntil, error, errorAt] = row;
  return {
    ...{ status, reason, reasonSource, attempt, attemptsBefore, leaseOwner },
    dueAt: dueAt === null ? null : new Date(dueAt),
    circuit: failures === null || openUntil === null ? null : { failures, openUntil: new Date(openUntil) },
    lastError: error === null || errorAt === null ? null : { error, at: new Date(errorAt) },
  };
}

/** The summary that a row stands for. */
export function toSummary(row: SummaryRow): StoredSummary {
  const { id, kind, type, title, excerpt, status, fallbackChannel: fallback, recipientCount, createdAt, recordError } = row;
  const own = kind === "message" ? ["inbox"] : parsed(row.channels ?? []);
  return {
    id,
    kind,
    type,
    title,
    excerpt,
    recipients: parsed(row.recipients ?? []).filter((recipient) => recipient !== null),
    recipientCount,
    isForEveryone: Boolean(row.isForEveryone),
    channels: fallback === null || own.includes(fallback) ? own : [...own, fallback],
    status,
    createdAt: new Date(createdAt),
    underWay: parsed(row.underWay ?? []).map(toUnderWay),
    recordError,
  };
}

type ContentRow = SummaryRow &
  Pick<ActivityContent, "message" | "source" | "actor" | "url"> & {
    readonly data: JsonObject | string;
    readonly actions: ActivityContent["actions"] | string;
  };

/** Reads a whole notification. */
export function findActivity(sql: Sql): ActivityStorage["find"] {
  const { notifications, trackings, sends } = sql.tables;
  const text = `SELECT n.message, n.data, n.source, n.sender AS actor, n.url, n.actions, ${summaryColumns(sql, sql.tables)}
    FROM ${notifications} n LEFT JOIN ${trackings} t ON t.notification_pk = n.pk LEFT JOIN ${sends} s ON s.notification_pk = n.pk
    WHERE n.tenant = $1 AND n.id = $2`;
  return async (tenant, id) => {
    const [row] = await sql.rows<ContentRow>("find_activity", text, [tenant, id]);
    if (row === undefined) {
      return null;
    }
    const { message, source, actor, url } = row;
    const actions = row.actions === null ? null : parsed(row.actions);
    return { summary: toSummary(row), message, data: parsed(row.data), source, actor, url, actions };
  };
}
