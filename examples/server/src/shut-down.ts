import type { NotificationService } from "@belfry/core";
import type { Logger } from "pino";
import type { BuiltServer } from "./listen.ts";

/** How long a shutdown waits for requests under way, and for clients to close their connections. */
const CLOSE_MS = 3_000;

/** How long a shutdown waits for deliveries and handlers under way; the next process repeats aborted ones. */
export const DRAIN_MS = 4_000;

/** After this time the process ends in any case. */
const END_MS = 10_000;

/** Ends the process with 0 on SIGTERM or SIGINT: it accepts no more connections, ends the open ones and finishes its writes. */
export function shutDownOnSignal(
  { server, closeStreams }: BuiltServer,
  notifications: Pick<NotificationService, "stop">,
  logger: Logger,
): void {
  const shutDown = async () => {
    setTimeout(() => {
      logger.error({}, `Belfry could not finish within ${END_MS} ms; what was under way is taken up at the next start.`);
      process.exit(1);
    }, END_MS).unref();
    const closed = new Promise((resolve) => server.close(resolve));
    closeStreams();
    server.closeIdleConnections();
    // The shutdown does not wait longer for a client that keeps its connection.
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
