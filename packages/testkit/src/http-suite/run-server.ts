import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunningServer } from "./harness.ts";

/** Listens on a free loopback port. `closeStreams` ends what would keep the server from closing. */
export async function runServer(server: Server, closeStreams: () => void): Promise<RunningServer> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = new Promise((resolve) => void server.close(resolve));
      closeStreams();
      server.closeAllConnections();
      await closed;
    },
  };
}
