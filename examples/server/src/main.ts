import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { deliveryV1, django, hub, inboxV1, native, nativeKeys, pack } from "@belfry/core/contracts";
import type { RateLimiter } from "@belfry/core/http";
import { mailReceipts } from "@belfry/mail-receipts";
import { type RedisTransport, redisTransport } from "@belfry/transport-redis";
import { pino } from "pino";
import { RateLimiterMemory } from "rate-limiter-flexible";
import { channelsOf } from "./channels.ts";
import { readConfig, type ServerConfig } from "./config.ts";
import { databaseFailure, storageOf } from "./database.ts";
import { demoHost, type HostOptions } from "./demo/demo-host.ts";
import { buildServer } from "./listen.ts";
import { DASHBOARD_PATH, operatorPage } from "./operator-page.ts";
import { takesRequests } from "./process-config.ts";
import { processorOf } from "./processor.ts";
import { sampleToken } from "./sample-token.ts";
import { DRAIN_MS, shutDownOnSignal } from "./shut-down.ts";
import { manyDatabases } from "./tenants/many-databases.ts";
import { directoryOf } from "./user-addresses.ts";

/** The files of the demo's page, beside the directory of this module, built or not. */
const PAGE = new URL("../.page/", import.meta.url);

/** How many bad credentials an address may present in a minute, as it is for one instance alone. */
const BAD_CREDENTIALS = 100;

const logger = pino({ serializers: { error: pino.stdSerializers.err } });

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const channels = channelsOf(config);
  const directory = directoryOf(config, channels);
  const redis = config.redisUrl === null ? null : redisTransport(config.redisUrl, { logger });
  const shared = {
    ...config.links,
    role: config.role,
    delivery: { drainMs: DRAIN_MS },
    hub: processorOf(config),
    defaultTenant: config.defaultTenant,
    logger,
  };
  const many =
    config.databases.size === 0 ? null : manyDatabases(config.databases, { ...shared, channels, ...(directory && { directory }) });
  await many?.places.start().catch((error: unknown) => {
    throw databaseFailure(config.database, error);
  });
  const serviceOptions: HostOptions = { ...shared, storage: storageOf(config, logger), ...(redis && { transport: redis }) };
  const demo = config.isDemo ? demoHost(config, serviceOptions) : null;
  const notifications =
    many?.notifications ?? demo?.notifications ?? new NotificationService({ ...serviceOptions, channels, ...(directory && { directory }) });
  await notifications.start().catch((error: unknown) => {
    throw databaseFailure(config.database, error);
  });
  const contracts = [
    inboxV1(),
    deliveryV1(),
    hub(),
    django(),
    pack({ auth: config.packAuth }),
    nativeKeys(),
    ...(config.mailReports === null ? [] : [mailReceipts(config.mailReports)]),
    ...(demo?.contracts ?? [native()]),
  ];
  const options = {
    contracts: takesRequests(config.role) ? contracts : [],
    health: true,
    auth: { jwt: { secret: config.jwtSecret }, tokens: config.userTokens, apiKeys: config.apiKeys },
    ...(config.rateLimit === null ? {} : { rateLimiter: limiterOf(config.rateLimit, redis) }),
    ...(redis && {
      badCredentialLimiter: redis.rateLimiter({ name: "bad-credentials", limit: BAD_CREDENTIALS }),
      socketCounts: redis.socketCounts(),
    }),
    ...(config.corsOrigins.length > 0 && { allowedOrigins: config.corsOrigins }),
    logger,
  };
  const page = takesRequests(config.role) ? operatorPage(notifications, config, logger) : null;
  const built = buildServer(config.framework, { notifications, options, page, demo: config.isDemo ? PAGE : null });
  // Their clients connect again, and go on at the new place.
  many?.places.onMoved(() => built.closeStreams());
  await demo?.prepare();
  await new Promise<void>((resolve, reject) => {
    built.server.once("error", reject);
    built.server.listen(config.port, config.host, resolve);
  });
  shutDownOnSignal(built, notifications, { retireMs: config.retireMs, logger });
  await announce(config, built.server.address() as AddressInfo);
}

/** Counts creates over all instances that Redis connects, else in this one. */
function limiterOf(limit: number, redis: RedisTransport | null): RateLimiter {
  return redis === null ? new RateLimiterMemory({ points: limit, duration: 60 }) : redis.rateLimiter({ name: "creates", limit });
}

async function announce(config: ServerConfig, { port }: AddressInfo): Promise<void> {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  if (!takesRequests(config.role)) {
    console.log(`This process has the role ${config.role} and answers health checks alone: ${url}/health/ready`);
    console.log(`Belfry listens on ${url}`);
    return;
  }
  if (config.isDemo) {
    console.log(`Open ${url} to see the inboxes of two users, and to send them notifications`);
  }
  if (config.madeUpKey !== null) {
    console.log(`No API_KEYS are set; the key of this run is ${config.madeUpKey}`);
  }
  if (config.isWebhookSecretMadeUp) {
    console.log(`No WEBHOOK_SECRET is set; webhooks of this run are signed with ${config.webhookSecret}`);
  }
  if (config.isJwtSecretMadeUp) {
    console.log(
      `No JWT_SECRET is set; user_123 may ask inbox-v1 and native with the token ${await sampleToken(config.jwtSecret, "user_123")}`,
    );
  }
  const key = config.packAuth === "open" ? "" : ` -H "X-API-Key: ${config.madeUpKey ?? "<key>"}"`;
  console.log(
    `Try: curl ${url}/api/notifications/create -H "Content-Type: application/json"${key} -d '{"user_id": "user_123", "content": "Hello"}'`,
  );
  const login = config.packAuth === "open" ? "" : " (log in with any name, and an API key as the password)";
  console.log(`Dashboard: ${url}${DASHBOARD_PATH}${login}`);
  console.log(`Belfry listens on ${url}`);
}

function failureText(error: unknown): string {
  if (!(error instanceof Error)) {
    return "Belfry could not start.";
  }
  const { code, address, port } = error as NodeJS.ErrnoException & { readonly address?: string; readonly port?: number };
  return code === "EADDRINUSE" ? `Port ${port} on ${address} is in use; set PORT to another one.` : error.message;
}

main().catch((error: unknown) => {
  logger.fatal({ error }, failureText(error));
  process.exitCode = 1;
});
