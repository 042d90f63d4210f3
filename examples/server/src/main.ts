import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { django, inboxV1, pack } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { pino } from "pino";
import { readConfig, type ServerConfig } from "./config.ts";
import { buildServer } from "./listen.ts";

const DRAIN_MS = 10_000;

const logger = pino();

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const notifications = new NotificationService({
    storage: sqliteStorage(config.database),
    defaultTenant: config.defaultTenant,
    logger,
  });
  await notifications.start();
  const { server, closeStreams } = buildServer(notifications, config, {
    contracts: [inboxV1(), django(), pack({ auth: config.packAuth })],
    auth: { jwt: { secret: config.jwtSecret }, tokens: config.userTokens, apiKeys: config.apiKeys },
    logger,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(config.port, config.host, resolve);
  });
  announce(config, server.address() as AddressInfo);

  const stop = async () => {
    // A client that does not let go must not keep the process alive.
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    const closed = new Promise((resolve) => void server.close(resolve));
    closeStreams();
    server.closeIdleConnections();
    await closed;
    await notifications.stop();
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function announce(config: ServerConfig, { port }: AddressInfo): void {
  const host = config.host.includes(":") ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  if (config.madeUpKey !== null) {
    console.log(`No API_KEYS are set; the key of this run is ${config.madeUpKey}`);
  }
  const key = config.packAuth === "open" ? "" : ` -H "X-API-Key: ${config.madeUpKey ?? "<key>"}"`;
  console.log(
    `Try: curl ${url}/api/notifications/create -H "Content-Type: application/json"${key} -d '{"user_id": "user_123", "content": "Hello"}'`,
  );
  console.log(`Belfry listens on ${url}`);
}

main().catch((error: unknown) => {
  logger.fatal({ error }, error instanceof Error ? error.message : "Belfry could not start.");
  process.exitCode = 1;
});
