import type { JsonObject, ProcessingStatus } from "@belfry/core";
import { columns as c, LEASE, table } from "./columns.ts";

/** The tables of the hub. */
export const HUB = {
  /**
   * Where notifications of kind `event` came from: a table of their own, so that its indexes cost other notifications
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

  /** Who acknowledged an event first when. */
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
      /** The name without regard to case, as core folds it: a database knows the cases of ASCII alone, or those of its locale. */
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

  /** The long prompts of records, each once, however many records have it. `digest` is the SHA-256 of the text, in hexadecimal. */
  prompts: table({ pk: c.key, tenant: c.bytewise, digest: c.text, text: c.text }, { unique: { digest: ["tenant", "digest"] } }),

  /** One event to be processed by one handler: its own entry in the queue. */
  processingRecords: table(
    {
      pk: c.key,
      id: c.uuid,
      notificationPk: c.keyOf("notifications"),
      tenant: c.bytewise,
      /** Its event's. */
      source: c.bytewise,
      /** No reference: records outlive their handler. */
      handlerId: c.uuid,
      /** Empty where `promptPk` says where it is. */
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
        // Serves claims that leave tenants out, however many records these have pending.
        tenant_due: { on: ["tenant", "dueAt", "pk"], where: "status = 'PENDING'" },
        leased: { on: ["leaseUntil"], with: "leaseOwner" },
        settled: { on: ["tenant", "source", "completedAt", "pk"], with: "completedAt" },
        prompt: { on: ["promptPk"], with: "promptPk" },
      },
    },
  ),
};
