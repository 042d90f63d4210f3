import type { Logger } from "@belfry/core";

/** What a process uses Redis for. Each has connections of its own. */
export type Use = "listen" | "send";

/** Whether Redis can be reached. It logs one line when it cannot any more, and one when it can again. */
export class Contact {
  readonly #logger: Logger;
  readonly #lost = new Set<Use>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** @param reason why, as Redis or the network says it; null if it was not said */
  lost(use: Use, reason: string | null): void {
    if (this.#lost.size === 0) {
      this.#logger.warn({ reason }, "Belfry cannot reach Redis. It looks at the database for changes instead, and goes on trying.");
    }
    this.#lost.add(use);
  }

  back(use: Use): void {
    if (this.#lost.delete(use) && this.#lost.size === 0) {
      this.#logger.warn({}, "Belfry reaches Redis again.");
    }
  }

  /** A stop is nothing to log. */
  forget(): void {
    this.#lost.clear();
  }
}

/** What an old Redis repeats of a command that it does not know: a password may be among it. */
const REPEATED = /, with args beginning with[\s\S]*/i;

/** Who it is that may not do something: newer versions of Redis say it. */
const NAMED_USER = /\bUser \S+ (?=has no permissions)/i;

/** The words of an error. The error itself may hold the command that failed, and with it a password. */
export function reasonOf(error: unknown): string | null {
  if (!(error instanceof Error)) {
    return null;
  }
  // A cluster's client says of all nodes only that they failed.
  const ofNode = "lastNodeError" in error ? reasonOf(error.lastNodeError) : null;
  return ofNode ?? error.message.replace(REPEATED, "").replace(NAMED_USER, "This user ");
}

/** What Redis says to those whom it never lets in. */
const REFUSALS = /WRONGPASS|NOAUTH|NOPERM|MOVED|CROSSSLOT|unknown command/i;

/** Whether that is the reason of Redis itself, which does not go away by waiting. */
export function isRefusal(reason: string): boolean {
  return REFUSALS.test(reason);
}

/** What Redis says to a user whose rules do not permit a command; the second one is of scripts before Redis 7.2. */
const UNPERMITTED = /^NOPERM|The user executing the script can't/i;

/** Whether that is the reason of a command that the user of Redis may not use, or not with those keys or channels. */
export function isUnpermitted(reason: string): boolean {
  return UNPERMITTED.test(reason);
}
