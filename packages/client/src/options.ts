import type { HttpOptions } from "./http.ts";
import type { Item } from "./item.ts";
import type { PushOptions } from "./push/push.ts";
import type { InitialState } from "./snapshot.ts";
import type { TransportName } from "./transports.ts";

/** Options of {@link createClient}. */
export interface ClientOptions<Shown extends Item = Item> extends HttpOptions {
  /**
   * The id of the signed-in user. Tabs of one browser with the same `url` and `user` share one connection and one queue of changes.
   *
   * @default each tab is by itself, and changes that wait are lost with it
   */
  readonly user?: string;
  /** The ways to learn of changes: WebSockets, Server-Sent Events, and asking every 15 s. The first that works is taken. @default ["ws", "sse", "poll"] */
  readonly transports?: readonly TransportName[];
  /** `leader`: one tab of a browser has the connection, for all tabs; `each`: every tab has one. @default "leader" */
  readonly tabs?: "leader" | "each";
  /** `queue`: a change waits for the server, also through a reload; `fail`: it fails at once if the server cannot be reached. @default "queue" */
  readonly offline?: "queue" | "fail";
  /** How many items a view loads at a time, 1 to 100. @default 20 */
  readonly pageSize?: number;
  /** The language of texts that functions of types make (BCP 47). @default the texts as they are stored */
  readonly locale?: string;
  /** How this browser gets pushes: see {@link InboxClient.push}. @default it gets none */
  readonly push?: PushOptions;
  /** The {@link InboxClient.snapshot} of a client on the server: it is shown at once, and followed from there. */
  readonly initial?: InitialState<Shown>;
}
