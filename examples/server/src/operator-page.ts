import { createHash } from "node:crypto";
import type { Logger, NotificationService } from "@belfry/core";
import { type Access, type Authorize, type Dashboard, dashboard, localOnly } from "@belfry/dashboard";
import type { ServerConfig } from "./config.ts";

/** Where the dashboard is. */
export const DASHBOARD_PATH = "/api/ui-dashboard/notifications-dashboard-ui";

/**
 * The dashboard: for whoever has an API key, as the password of HTTP Basic; and, where the `pack` contract is open, for
 * whoever sits at this machine.
 */
export function operatorPage(notifications: NotificationService, config: ServerConfig, logger: Logger): Dashboard {
  const byKey = accessByKey(config.apiKeys);
  const authorize: Authorize = async (request) =>
    byKey(request.headers.authorization) ?? (config.packAuth === "open" ? localOnly(request) : null);
  return dashboard(notifications, { authorize, challenge: 'Basic realm="Belfry: any name, and an API key"', logger });
}

/** Keys are looked up by their digests: the time it takes then says nothing about them. */
function accessByKey(apiKeys: ReadonlyMap<string, string>): (authorization: string | undefined) => Access | null {
  const clients = new Map([...apiKeys].map(([key, client]) => [digest(key), client]));
  return (authorization) => {
    const [, encoded] = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "") ?? [];
    const [name = "", key = ""] = Buffer.from(encoded ?? "", "base64")
      .toString()
      .split(/:(.*)/s, 2);
    const client = clients.get(digest(key));
    return client === undefined ? null : { read: true, act: true, actor: name || client, tenant: client };
  };
}

function digest(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}
