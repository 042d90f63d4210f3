import type { ConnectionStatus } from "./connection.ts";
import type { Emit } from "./events.ts";
import type { Item } from "./item.ts";
import type { ClientOptions } from "./options.ts";
import type { PushHost } from "./push/push-host.ts";
import type { Outcome } from "./queue.ts";
import type { ClientError } from "./result.ts";
import type { Store } from "./store.ts";

/** The half of a client that is there from its first moment, as `Live` sees it. */
export interface LiveHost<Shown extends Item> extends PushHost {
  readonly options: ClientOptions<Shown>;
  readonly store: Store<Shown>;
  /** What the tabs of one user share; null for a tab that is by itself. */
  readonly name: string | null;
  readonly status: ConnectionStatus;
  readonly error: ClientError | null;
  readonly emit: Emit<Shown>;
  setStatus(status: ConnectionStatus, error: ClientError | null): void;
  /** Ends a change. */
  settle(outcome: Outcome): void;
  /** The server answered a change that this tab sent: it need not be kept. */
  forget(id: string): void;
}
