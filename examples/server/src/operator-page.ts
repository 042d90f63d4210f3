import { createHash } from "node:crypto";
import type { Logger } from "@belfry/core";
import { type Access, type Authorize, type Dashboard, type DashboardService, dashboard, localOnly } from "@belfry/dashboard";
import type { ServerConfig } from "./config.ts";

/** The path of the dashboard. */
export const DASHBOARD_PATH = "/api/ui-dashboard/notifications-dashboard-ui";

/**
 * Makes the dashboard. It lets in people with an API key as the password of HTTP Basic and, if the `pack` contract is
 * open, requests from this machine.
 */
export function operatorPage(notifications: DashboardService, config: ServerConfig, logger: Logger): Dashboard {
  const byKey = accessByKey(config.apiKeys);
  const authorize: Authorize = async (request) =>
    byKey(request.headers.authorization) ?? (config.packAuth === "open" ? localOnly(request) : null);
  const challenge = 'Basic realm="Belfry: any name, and an API key"';
  return dashboard(notifications, { authorize, challenge, logger, basePath: DASHBOARD_PATH });
}

/** Looks keys up by their digests, so that the time it takes says nothing about the keys. */
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
