import type { NotificationService } from "@belfry/core";
import type { Logger } from "pino";
import type { BuiltServer } from "./listen.ts";

/** How long a shutdown waits for requests under way, and for clients to close their connections. */
const CLOSE_MS = 3_000;

/** How long a shutdown waits for deliveries and handlers under way; the next process repeats aborted ones. */
export const DRAIN_MS = 4_000;

/** After this time the process ends in any case. */
const END_MS = 10_000;

/** How a shutdown goes. */
export interface ShutDownOptions {
  /** How long requests are still answered, with the readiness failing. */
  readonly retireMs: number;
  readonly logger: Logger;
}

/**
 * Ends the process with 0 on SIGTERM or SIGINT: its readiness fails first, so that load balancers send no more; then it accepts no
 * more connections, ends the open ones and finishes its writes. A second signal ends the waiting for load balancers.
 */
export function shutDownOnSignal(
  { server, closeStreams }: BuiltServer,
  notifications: Pick<NotificationService, "retire" | "stop">,
  { retireMs, logger }: ShutDownOptions,
): void {
  const shutDown = async () => {
    notifications.retire();
    await retirement(retireMs);
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
  onSignal(end);
}

/** Waits for a time, or for another signal. */
function retirement(retireMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, retireMs);
    onSignal(resolve);
  });
}

function onSignal(listener: () => void): void {
  process.once("SIGTERM", listener);
  process.once("SIGINT", listener);
}
