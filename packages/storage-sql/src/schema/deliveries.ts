import type {
  ApiKeyScope,
  AttemptExchange,
  AttemptStatus,
  AuditAction,
  AuditTargetKind,
  Delivery,
  DeliveryReason,
  DeliveryStatus,
  JsonObject,
  SendStatus,
} from "@belfry/core";
import type { DeliveryTerms } from "@belfry/core/storage";
import { columns as c, LEASE, table } from "./columns.ts";

/** The tables of deliveries, and of access to them. */
export const DELIVERIES = {
  /**
   * Updates of notifications that are in many inboxes: the next step notes the change in those that come after the user. A later update of the
   * same notification begins anew.
   */
  itemUpdates: table({
    notificationPk: c.asKey(c.keyOf("notifications")),
    tenant: c.bytewise,
    /** Empty before the first user. */
    afterUser: c.bytewise,
    /** When the content was changed. */
    at: c.time,
    /** A step that finds an inbox held puts the next one off. */
    dueAt: c.time,
  }),

  /** The plan and the progress of each notification's deliveries. */
  trackings: table(
    {
      notificationPk: c.asKey(c.keyOf("notifications")),
      tenant: c.bytewise,
      channel: c.text,
      fallbackDelayMs: c.number,
      scheduledAt: c.nullable(c.time),
      status: c.bytewiseOf<SendStatus>(),
      /** How many of its chains have each status: these decide its own status. */
      pendingChains: c.integer,
      sentChains: c.integer,
      deliveredChains: c.integer,
      failedChains: c.integer,
      cancelledChains: c.integer,
      attempts: c.integer,
      fallbackUsed: c.boolean,
      deliveredAt: c.nullable(c.time),
      failedAt: c.nullable(c.time),
      createdAt: c.time,
      updatedAt: c.time,
      skippedChains: c.initially(c.integer, 0),
      inboxNeeds: c.initially(c.textOf<DeliveryTerms["inboxNeeds"]>(), "connection"),
      addresses: c.initially(c.textOf<DeliveryTerms["addresses"]>(), "own"),
    },
    {
      indexes: {
        tenant_created: ["tenant", "createdAt", "notificationPk"],
        tenant_status: ["tenant", "status", "createdAt", "notificationPk"],
      },
    },
  ),

  /** Details that senders gave and that only the view of a send shows. */
  sends: table({
    notificationPk: c.asKey(c.keyOf("notifications")),
    tenant: c.bytewise,
    channels: c.jsonOf<readonly string[]>(),
    roomId: c.nullable(c.text),
    recipients: c.jsonOf<readonly string[]>(),
    hasFallback: c.boolean,
    meta: c.jsonOf<JsonObject>(),
    erasedRecipients: c.initially(c.integer, 0),
  }),

  /** One notification to one recipient over one channel: one entry in the queue. */
  deliveries: table(
    {
      pk: c.key,
      id: c.uuid,
      notificationPk: c.keyOf("notifications"),
      tenant: c.bytewise,
      channel: c.bytewise,
      recipient: c.bytewise,
      chain: c.integer,
      isFallback: c.boolean,
      status: c.textOf<DeliveryStatus>(),
      reason: c.nullable(c.textOf<DeliveryReason>()),
      attempt: c.integer,
      attemptsBefore: c.integer,
      ...LEASE,
      settledAt: c.nullable(c.time),
      recipientKind: c.initially(c.textOf<Delivery["recipientKind"]>(), "address"),
      reasonSource: c.nullable(c.text),
      topic: c.nullable(c.text),
    },
    {
      unique: { id: ["id"] },
      indexes: {
        chain: ["notificationPk", "chain", "isFallback"],
        recipient: ["tenant", "recipient", "notificationPk"],
        due: { on: ["dueAt"], where: "status = 'pending' AND lease_owner IS NULL" },
        // Serves claims that exclude tenants, however many deliveries those have due.
        tenant_due: { on: ["tenant", "dueAt"], where: "status = 'pending' AND lease_owner IS NULL" },
        waiting: { on: ["dueAt"], where: "status = 'waiting'" },
        leased: { on: ["leaseUntil"], with: "leaseOwner" },
        quiet: { on: ["tenant", "recipient"], where: "reason = 'quiet_hours'" },
        // People look for these, and they are few beside those that went well.
        tenant_ended: { on: ["tenant", "status", "notificationPk"], where: "status IN ('failed', 'skipped', 'cancelled')" },
        tenant_retrying: {
          on: ["tenant", "notificationPk"],
          where: "status = 'pending' AND lease_owner IS NULL AND attempt > attempts_before",
        },
        tenant_held: { on: ["tenant", "notificationPk"], where: "reason IN ('quiet_hours', 'paused')" },
        // Endpoints that fail: that users were not connected to their inboxes is no failure, and may be a million rows.
        tenant_failed: { on: ["tenant", "notificationPk"], where: "status = 'failed' AND channel <> 'inbox'" },
        // What a pause holds back, by what may be resumed.
        paused: { on: ["tenant", "notificationPk"], where: "reason_source = 'operator'" },
        channel_paused: { on: ["tenant", "channel", "notificationPk"], where: "reason_source = 'operator'" },
        endpoint_paused: { on: ["tenant", "channel", "recipient", "notificationPk"], where: "reason_source = 'operator'" },
        tenant_waiting: { on: ["tenant", "notificationPk"], where: "status = 'waiting'" },
      },
    },
  ),

  /** Every try of a delivery. */
  deliveryAttempts: table(
    {
      deliveryPk: c.keyOf("deliveries"),
      attempt: c.integer,
      status: c.textOf<AttemptStatus>(),
      startedAt: c.time,
      finishedAt: c.time,
      provider: c.text,
      response: c.nullable(c.text),
      messageId: c.nullable(c.text),
      error: c.nullable(c.text),
      note: c.nullable(c.text),
      isTransient: c.boolean,
      exchange: c.nullable(c.jsonOf<AttemptExchange>()),
    },
    { key: ["deliveryPk", "attempt"], indexes: { message: { on: ["messageId"], with: "messageId" } } },
  ),

  /** How many attempts of each minute ended in the same way. Those of some time ago are those of half an hour. */
  attemptSums: table(
    {
      tenant: c.bytewise,
      /** When the minute began, or the half hour. */
      minute: c.time,
      channel: c.bytewise,
      /** The latency step that those which succeeded have reached; -1 for those that failed. */
      latencyMs: c.number,
      /** Who writes it, so that transactions do not wait for each other: see `sum-writers.ts`. Below 0 for what was folded. */
      writer: c.integer,
      attempts: c.integer,
    },
    {
      key: ["tenant", "minute", "channel", "latencyMs", "writer"],
      indexes: { minute: ["minute"], unfolded: { on: ["minute"], where: "writer >= 0" } },
    },
  ),

  /** Endpoints that rest, since they failed several times in a row, whichever tenants they deliver to. */
  circuits: table(
    { channel: c.bytewise, recipient: c.bytewise, failures: c.integer, openedAt: c.time, openUntil: c.time },
    { key: ["channel", "recipient"], indexes: { until: ["openUntil"], recipient: ["recipient"] } },
  ),

  /** What is paused in each tenant: an endpoint, a channel with an empty recipient, or every channel with both empty. */
  pauses: table(
    {
      tenant: c.bytewise,
      channel: c.bytewise,
      recipient: c.bytewise,
      actor: c.text,
      detail: c.nullable(c.text),
      pausedAt: c.time,
      /** Since then, what it held back is being released. */
      resumedAt: c.nullable(c.time),
    },
    { key: ["tenant", "channel", "recipient"] },
  ),

  /** The addresses that deliveries of one notification reach, where its recipients may share some. */
  takenAddresses: table(
    {
      notificationPk: c.number,
      /** SHA-256 of channel and address, in hexadecimal. */
      place: c.bytewise,
      deliveryPk: c.keyOf("deliveries"),
    },
    { key: ["notificationPk", "place"], indexes: { delivery: ["deliveryPk"] } },
  ),

  /** Keys of created sends, and the answers that their senders got. */
  idempotencyKeys: table(
    { tenant: c.bytewise, key: c.bytewise, bodyHash: c.text, response: c.text, createdAt: c.time, notificationId: c.nullable(c.uuid) },
    { key: ["tenant", "key"], indexes: { created: ["createdAt"], notification: ["notificationId"] } },
  ),

  /** Who did what to sends and users. It outlives them. */
  auditLog: table(
    {
      number: c.counter,
      tenant: c.bytewise,
      at: c.time,
      action: c.textOf<AuditAction>(),
      actor: c.text,
      notificationId: c.uuid,
      targetKind: c.nullable(c.textOf<AuditTargetKind>()),
      targetId: c.nullable(c.bytewise),
      details: c.nullable(c.text),
    },
    {
      indexes: {
        tenant: ["tenant", "number"],
        notification: ["tenant", "notificationId", "number"],
        // Almost all lines are of notifications that the host's own code created: they cost nothing here.
        actor: { on: ["tenant", "actor", "number"], where: "actor <> 'host'" },
        action: { on: ["tenant", "action", "number"], where: "action <> 'created'" },
        target: { on: ["tenant", "targetId", "number"], with: "targetId" },
      },
    },
  ),

  /** API keys, stored as digests only. */
  apiKeys: table(
    {
      id: c.asKey(c.bytewise),
      tenant: c.bytewise,
      name: c.text,
      digest: c.text,
      scopes: c.jsonOf<readonly ApiKeyScope[]>(),
      createdAt: c.time,
      revokedAt: c.nullable(c.time),
    },
    { indexes: { tenant: ["tenant", "createdAt"] } },
  ),

  /** WebSocket tickets: a digest each, and a credential that only the holder can read. */
  socketTickets: table({ digest: c.asKey(c.bytewise), sealed: c.text, expiresAt: c.time }, { indexes: { expires: ["expiresAt"] } }),
};
