import { afterEach } from "vitest";
import { type ModelServer, modelServer } from "./model-server.ts";

/** Gives a test file a function to start servers; each test closes its servers at its end. */
export function runningServers(): typeof modelServer {
  const servers: ModelServer[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });
  return async (answer) => {
    const server = await modelServer(answer);
    servers.push(server);
    return server;
  };
}
