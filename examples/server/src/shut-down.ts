import type { NotificationService } from "@belfry/core";
import type { Logger } from "pino";
import type { BuiltServer } from "./listen.ts";

/** How long requests that are being answered, and clients that are told to go, are waited for. */
const CLOSE_MS = 7_000;

/** After this the process ends, whatever still goes on. */
const DRAIN_MS = 10_000;

/** Ends the process with 0 when it is told to: stops accepting, lets go of clients, finishes what is being written. */
export function shutDownOnSignal({ server, closeStreams }: BuiltServer, notifications: NotificationService, logger: Logger): void {
  const shutDown = async () => {
    setTimeout(() => process.exit(1), DRAIN_MS).unref();
    const closed = new Promise((resolve) => server.close(resolve));
    closeStreams();
    server.closeIdleConnections();
    // A client that does not let go is left behind.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, CLOSE_MS))]);
    await notifications.stop();
  };
  const end = () => {
    shutDown().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, "Belfry could not finish what was being written.");
        process.exit(1);
      },
    );
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}
