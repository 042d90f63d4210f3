import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { PostgresServer } from "./start-postgres.ts";

/** The environment variable that tells test processes where to ask for the run's server. */
export const LAUNCHER_VARIABLE = "BELFRY_POSTGRES_LAUNCHER";

/**
 * Starts one PostgreSQL for the whole run when the first test file asks for a database; for vitest's `globalSetup`. A run
 * that asks for none starts none.
 */
export async function setup(): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | null = null;
  const start = async () => (await import("./start-postgres.ts")).startPostgres();
  // Other users of this machine can reach the port, but do not know the path.
  const path = `/${randomBytes(16).toString("hex")}`;
  const launcher = createServer(async (request, response) => {
    if (request.url !== path) {
      response.writeHead(404).end();
      return;
    }
    try {
      server ??= start();
      response.end((await server).url);
    } catch (error) {
      response.writeHead(500).end(error instanceof Error ? error.message : String(error));
    }
  }).listen(0, "127.0.0.1");
  await once(launcher, "listening");
  launcher.unref();
  const address = launcher.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  process.env[LAUNCHER_VARIABLE] = `http://127.0.0.1:${port}${path}`;
  return async () => {
    launcher.closeAllConnections();
    launcher.close();
    const started = await Promise.allSettled([server]);
    await Promise.all(started.map((result) => (result.status === "fulfilled" ? result.value?.stop() : undefined)));
  };
}
