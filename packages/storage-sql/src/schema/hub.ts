import type { JsonObject, ProcessingStatus } from "@belfry/core";
import { columns as c, LEASE, table } from "./columns.ts";

/** The tables of the hub. */
export const HUB = {
  /**
   * The origin of notifications of kind `event`. It has its own table, so that its indexes cost other notifications
   * nothing.
   */
  events: table(
    { notificationPk: c.asKey(c.keyOf("notifications")), tenant: c.bytewise, source: c.bytewise, sender: c.bytewise, receivedAt: c.time },
    {
      indexes: {
        tenant: ["tenant", "receivedAt", "notificationPk"],
        source: ["tenant", "source", "receivedAt", "notificationPk"],
        sender: ["tenant", "sender", "receivedAt", "notificationPk"],
      },
    },
  ),

  /** When a client first acknowledged an event. */
  eventAcks: table(
    { notificationPk: c.keyOf("notifications"), client: c.bytewise, acknowledgedAt: c.time },
    { key: ["notificationPk", "client"] },
  ),

  /** People and things, as their sources know them. */
  identities: table(
    {
      pk: c.key,
      id: c.uuid,
      tenant: c.bytewise,
      source: c.bytewise,
      sourceId: c.bytewise,
      name: c.text,
      /** The name with its case folded by core: a database folds only ASCII, or by its locale. */
      foldedName: c.bytewise,
      metadata: c.jsonOf<JsonObject>(),
      createdAt: c.time,
      updatedAt: c.time,
    },
    {
      unique: { id: ["tenant", "id"], source_id: ["tenant", "source", "sourceId"] },
      indexes: { tenant: ["tenant", "createdAt", "pk"], source: ["tenant", "source", "createdAt", "pk"] },
    },
  ),

  /** The rules for the processing of events. */
  handlers: table(
    {
      pk: c.key,
      id: c.uuid,
      tenant: c.bytewise,
      source: c.bytewise,
      prompt: c.text,
      filter: c.jsonOf<JsonObject>(),
      createdAt: c.time,
      updatedAt: c.time,
    },
    {
      unique: { id: ["tenant", "id"] },
      indexes: { tenant: ["tenant", "createdAt", "pk"], source: ["tenant", "source", "createdAt", "pk"] },
    },
  ),

  /** The long prompts of records, each stored once for all its records. `digest` is the SHA-256 of the text, in hexadecimal. */
  prompts: table({ pk: c.key, tenant: c.bytewise, digest: c.text, text: c.text }, { unique: { digest: ["tenant", "digest"] } }),

  /** One event for one handler to process: one entry in the queue. */
  processingRecords: table(
    {
      pk: c.key,
      id: c.uuid,
      notificationPk: c.keyOf("notifications"),
      tenant: c.bytewise,
      /** Its event's source. */
      source: c.bytewise,
      /** No foreign key: records outlive their handler. */
      handlerId: c.uuid,
      /** Empty if `promptPk` refers to the prompt. */
      prompt: c.text,
      status: c.textOf<ProcessingStatus>(),
      result: c.nullable(c.text),
      error: c.nullable(c.text),
      attempt: c.integer,
      inputTokens: c.nullable(c.number),
      outputTokens: c.nullable(c.number),
      createdAt: c.time,
      completedAt: c.nullable(c.time),
      ...LEASE,
      promptPk: c.nullable(c.keyOf("prompts", false)),
    },
    {
      unique: { id: ["id"] },
      indexes: {
        notification: ["notificationPk", "pk"],
        due: { on: ["dueAt", "pk"], where: "status = 'PENDING'" },
        // Serves claims that exclude tenants, however many records those have pending.
        tenant_due: { on: ["tenant", "dueAt", "pk"], where: "status = 'PENDING'" },
        leased: { on: ["leaseUntil"], with: "leaseOwner" },
        settled: { on: ["tenant", "source", "completedAt", "pk"], with: "completedAt" },
        prompt: { on: ["promptPk"], with: "promptPk" },
        // Operators look for these, and they are few beside those that went well.
        tenant_failed: { on: ["tenant", "pk"], where: "status = 'FAILED'" },
        tenant_retrying: { on: ["tenant", "pk"], where: "status = 'PENDING' AND attempt > 0" },
      },
    },
  ),
};
