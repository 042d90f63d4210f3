import { afterEach } from "vitest";
import { type ModelServer, modelServer } from "./model-server.ts";

/** Gives a test file a way to start servers that are closed after each test. */
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
