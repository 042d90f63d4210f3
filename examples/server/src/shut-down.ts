import type { NotificationService } from "@belfry/core";
import type { Logger } from "pino";
import type { BuiltServer } from "./listen.ts";

/** How long requests that are being answered, and clients that are told to go, are waited for. */
const CLOSE_MS = 3_000;

/** How long deliveries and handlers under way are waited for; what is aborted then is done by the next process. */
export const DRAIN_MS = 4_000;

/** After this the process ends, whatever still goes on. */
const END_MS = 10_000;

/** Ends the process with 0 when it is told to: stops accepting, lets go of clients, finishes what is being written. */
export function shutDownOnSignal({ server, closeStreams }: BuiltServer, notifications: NotificationService, logger: Logger): void {
  const shutDown = async () => {
    setTimeout(() => {
      logger.error({}, `Belfry could not finish within ${END_MS} ms; what was under way is taken up at the next start.`);
      process.exit(1);
    }, END_MS).unref();
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
