import type { Digest, DigestState } from "@belfry/core";
import { columns as c, LEASE, table } from "./columns.ts";

/** The tables of digests. */
export const DIGESTS = {
  /** Several notifications in one delivery, and its window. It is a task: it is due when its window closes. */
  digests: table(
    {
      pk: c.key,
      id: c.uuid,
      tenant: c.bytewise,
      userId: c.bytewise,
      channel: c.bytewise,
      /** SHA-256 of what tells digests of one user and channel apart, in hexadecimal: names and keys may be too long for an index. */
      place: c.bytewise,
      plan: c.jsonOf<Digest["plan"]>(),
      state: c.textOf<DigestState>(),
      openedAt: c.time,
      closesAt: c.time,
      /** The latest time at which a sliding window closes. */
      lastAt: c.nullable(c.time),
      renderedAt: c.nullable(c.time),
      closedAt: c.nullable(c.time),
      shown: c.integer,
      total: c.integer,
      attempt: c.integer,
      ...LEASE,
    },
    {
      unique: {
        id: ["id"],
        open: { on: ["tenant", "userId", "channel", "place"], where: "state = 'open'" },
      },
      indexes: {
        due: { on: ["dueAt"], where: "lease_owner IS NULL AND due_at IS NOT NULL" },
        leased: { on: ["leaseUntil"], with: "leaseOwner" },
        user: ["tenant", "userId", "pk"],
        closed: { on: ["closedAt"], with: "closedAt" },
      },
    },
  ),

  /** The deliveries that wait for a digest, or are in one. */
  digestEntries: table(
    {
      deliveryPk: c.asKey(c.keyOf("deliveries")),
      /** From when it may be put into a window. */
      dueAt: c.time,
      plan: c.jsonOf<Digest["plan"]>(),
      takenBy: c.nullable(c.text),
      /** Null until it is put into a window. */
      digestPk: c.nullable(c.number),
      /** Its place in the digest, from 1; null until the digest is rendered, and for what was left out. */
      place: c.nullable(c.integer),
    },
    {
      indexes: {
        due: { on: ["dueAt"], where: "digest_pk IS NULL" },
        taken: { on: ["takenBy"], with: "takenBy" },
        digest: { on: ["digestPk", "place"], with: "digestPk" },
      },
    },
  ),
};
