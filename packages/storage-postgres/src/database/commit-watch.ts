import type { Logger } from "@belfry/core";
import type { WatchableClient } from "./connection.ts";

/** A write in a transaction of the host whose end Belfry waits for. */
export interface WatchedWrite {
  onCommit(): void;
  /** Called once the transaction is over, either way. */
  onOver(): void;
  /** Whether the database has what was written; asked only where the protocol does not tell. */
  isThere(): Promise<boolean>;
}

/** The state of the connection after each query, as the server reports it: idle, in a transaction, or in one that failed. */
export type TransactionStatus = "I" | "T" | "E";

/**
 * Follows a host's transaction on one connection by the protocol: by the server's answer to each command, and by its
 * status after each query. It sends nothing.
 *
 * ```
 * writes pending ──COMMIT──> told ──┐
 *       ├────────ROLLBACK──> dropped ├──> over: it does not listen any longer
 *       └─connection lost──> dropped ┘
 * ```
 *
 * A ROLLBACK that leaves the transaction open went back to a savepoint. After the commit, Belfry then looks in the
 * database for the earlier writes.
 */
export class CommitWatch {
  readonly #client: WatchableClient;
  readonly #logger: Logger;
  readonly #writes = new Map<WatchedWrite, { isDoubtful: boolean }>();
  #commands: string[] = [];
  /** How many writes are under way. These and the made ones keep it listening. */
  #writing = 0;
  /** Undefined until a query has been answered since the watch began. */
  status: TransactionStatus | undefined;

  constructor(client: WatchableClient, logger: Logger) {
    this.#client = client;
    this.#logger = logger;
  }

  /** Call it before each write, so that the status of its transaction is known. */
  begin(): void {
    if (this.#writing === 0 && this.#writes.size === 0) {
      this.status = undefined;
      const { connection } = this.#client;
      connection.on("commandComplete", this.#onCommand);
      connection.on("readyForQuery", this.#onReady);
      connection.on("end", this.#onEnd);
    }
    this.#writing += 1;
  }

  /** Call it after each write, made or not. */
  end(): void {
    this.#writing -= 1;
    this.#stopIfIdle();
  }

  /** Calls `write.onCommit` once the transaction has committed, and never if it rolled back. */
  add(write: WatchedWrite): void {
    this.#writes.set(write, { isDoubtful: false });
  }

  readonly #onCommand = ({ text }: { readonly text: string }): void => {
    this.#commands.push(text);
  };

  readonly #onReady = ({ status }: { readonly status: TransactionStatus }): void => {
    this.status = status;
    const commands = this.#commands;
    this.#commands = [];
    const end = commands.findLast((command) => command === "COMMIT" || command === "ROLLBACK");
    if (end === "COMMIT") {
      this.#settle(true);
    } else if (status === "I") {
      this.#settle(false);
    } else if (end === "ROLLBACK") {
      for (const state of this.#writes.values()) {
        state.isDoubtful = true;
      }
    }
  };

  readonly #onEnd = (): void => {
    // A commit may have been under way. Nobody can tell here whether it arrived; those who look at the database see it.
    this.#settle(false);
  };

  #settle(hasCommitted: boolean): void {
    const writes = [...this.#writes];
    this.#writes.clear();
    this.#stopIfIdle();
    for (const [write, { isDoubtful }] of writes) {
      write.onOver();
      if (hasCommitted) {
        void this.#tell(write, isDoubtful);
      }
    }
  }

  #stopIfIdle(): void {
    if (this.#writing === 0 && this.#writes.size === 0) {
      this.#commands = [];
      const { connection } = this.#client;
      connection.off("commandComplete", this.#onCommand);
      connection.off("readyForQuery", this.#onReady);
      connection.off("end", this.#onEnd);
    }
  }

  async #tell(write: WatchedWrite, isDoubtful: boolean): Promise<void> {
    try {
      if (!isDoubtful || (await write.isThere())) {
        write.onCommit();
      }
    } catch (error) {
      this.#logger.error({ error }, "Belfry could not tell of a notification that was committed with a transaction of the host.");
    }
  }
}
