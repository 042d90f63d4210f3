import type { SuppressionReason } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

/** The tables of addresses that nothing is delivered to. */
export const SUPPRESSIONS = {
  suppressions: table(
    {
      tenant: c.bytewise,
      /** SHA-256 of tenant, channel and address, in hexadecimal: what is left of an address once its user was deleted. */
      place: c.bytewise,
      channel: c.bytewise,
      /** Empty once its user was deleted. */
      address: c.bytewise,
      reason: c.textOf<SuppressionReason>(),
      actor: c.text,
      detail: c.nullable(c.text),
      createdAt: c.time,
    },
    { key: ["tenant", "place"], indexes: { address: ["tenant", "address", "place"] } },
  ),

  /** Deliveries that bounced for now, until one to the same address arrives. */
  softBounces: table(
    { tenant: c.bytewise, place: c.bytewise, deliveryId: c.uuid, at: c.time },
    { key: ["tenant", "place", "deliveryId"], indexes: { at: ["at"] } },
  ),
};
