import type { DevicePlatform } from "@belfry/core";
import { columns as c, table } from "./columns.ts";

/** The table of devices. */
export const DEVICES = {
  /** The endpoints of users for push. */
  devices: table(
    {
      id: c.asKey(c.uuid),
      tenant: c.bytewise,
      userId: c.bytewise,
      platform: c.bytewiseOf<DevicePlatform>(),
      /** SHA-256 of the token, in hexadecimal: an index would not hold a long token. */
      tokenHash: c.bytewise,
      token: c.text,
      /** Of a browser, in JSON. */
      keys: c.nullable(c.text),
      app: c.nullable(c.text),
      name: c.nullable(c.text),
      createdAt: c.time,
      seenAt: c.time,
    },
    { unique: { token: ["tenant", "platform", "tokenHash"] }, indexes: { user: ["tenant", "userId", "id"] } },
  ),
};
