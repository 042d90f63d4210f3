import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NotificationService } from "@belfry/core";
import { hub, inboxV1 } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { upgradeListener } from "@belfry/core/node";
import { JWT_SECRET } from "./inbox-follower.ts";

/** The key of the default tenant. */
export const HUB_KEY = "key-of-the-default-tenant";

/** Serves the sockets of `inbox-v1` and `hub` in the test's own process and returns the URL. */
export async function serveSockets(notifications: NotificationService, cleanup: (task: () => unknown) => void): Promise<string> {
  const handler = createHandler(notifications, {
    contracts: [inboxV1(), hub()],
    auth: { jwt: { secret: JWT_SECRET }, apiKeys: { [HUB_KEY]: "default" } },
  });
  const server = createServer().on("upgrade", upgradeListener(handler));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    handler.close();
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
