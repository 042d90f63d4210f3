import { type MembersOf, requireConfiguration, requireOptions } from "../../foundation/issue-list.ts";
import { oneOf } from "../../foundation/parse-text.ts";
import { type Contract, defineContract } from "../../http/contract.ts";
import { fastapiError } from "../fastapi-failure.ts";
import { hubFailure } from "./failure.ts";
import { hubRoutes, type ListStyle } from "./routes.ts";
import { openHubSocket } from "./socket.ts";

export type { ListStyle };

/** Options of the `hub` contract. */
export interface HubContractOptions {
  /**
   * The form of lists: bare arrays, as in the document, or objects like `{ notifications, total, limit, offset }`, which the
   * public JavaScript client of this API reads.
   * @default "arrays"
   */
  readonly lists?: ListStyle;
}

/**
 * The contract `hub`: services push events in, handlers process them, identities say who their senders are, and
 * subscribers watch over a WebSocket. It shares `/notifications` with `django`; the credential decides.
 *
 * @throws BelfryError `CONFIGURATION` for an option that is not known
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [hub(), django()], auth: { apiKeys: { key: "acme" }, tokens } }));
 * ```
 */
export function hub(options: HubContractOptions = {}): Contract {
  requireOptions("hub", options, { lists: true } satisfies MembersOf<HubContractOptions>);
  const { lists = "arrays" } = options;
  requireConfiguration("hub's", [oneOf(["arrays", "wrapped"])(lists, "lists")]);
  return defineContract({
    name: "hub",
    title: "Belfry hub",
    basePath: "/notifications",
    credential: "api-key",
    principal: "client",
    routes: hubRoutes(lists),
    sockets: [
      {
        path: "/ws",
        credentialParameter: "apiKey",
        summary: "live events of the sources a client subscribes to, and what handlers make of them; the key in `?apiKey=`",
        open: openHubSocket,
      },
    ],
    errorSchema: fastapiError,
    renderFailure: hubFailure,
  });
}
