import type { ChoiceScope, ChoiceValue } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

/** The tables of preferences. The tenant's own rows have an empty `userId`. */
export const DECISIONS = {
  /** What users, and tenants for all their users, chose explicitly. */
  choices: table(
    {
      tenant: c.bytewise,
      userId: c.bytewise,
      /** SHA-256 of scope, name, channel and the conditions if there are any, in hexadecimal: the longest names would not fit into the key. */
      place: c.bytewise,
      scope: c.textOf<ChoiceScope>(),
      name: c.text,
      /** Empty for every channel. */
      channel: c.text,
      value: c.textOf<ChoiceValue>(),
      isLocked: c.boolean,
      /** JSON. */
      conditions: c.nullable(c.text),
    },
    { key: ["tenant", "userId", "place"] },
  ),

  /** When users want to be left alone, and when their digests come. Times are in milliseconds. */
  settings: table(
    {
      tenant: c.bytewise,
      userId: c.bytewise,
      timeZone: c.nullable(c.text),
      /** JSON. */
      quietHours: c.nullable(c.text),
      pauseUntil: c.nullable(c.number),
      /** JSON. */
      digest: c.nullable(c.text),
    },
    { key: ["tenant", "userId"] },
  ),

  /** How far users have used up the throttles of types. One that is wholly free has no row. */
  throttles: table(
    {
      tenant: c.bytewise,
      userId: c.bytewise,
      /** SHA-256 of type and channel, in hexadecimal. */
      place: c.bytewise,
      /** In microseconds since 1970. */
      freeAt: c.number,
    },
    { key: ["tenant", "userId", "place"], indexes: { free: ["freeAt"] } },
  ),
};
