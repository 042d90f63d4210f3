import type { Logger } from "../foundation/logger.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { fetchHandler } from "./fetch.ts";
import { HandlerCore } from "./handler-core.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import { openapiDocument } from "./openapi.ts";
import type { ContractService } from "./route.ts";
import { acceptSocket, type Connection } from "./socket.ts";

/** Serves contracts, with or without a framework. */
export interface HttpHandler {
  /**
   * Answers a request: with no promise, if nothing has to be waited for. Null when no contract has its path, so that the
   * host's own routes can answer.
   */
  handle(request: HttpRequest): MaybePromise<HttpResponse | null>;
  /**
   * Answers a fetch Request with a Response. The path in its URL is the whole one, `basePath` included. A path that no contract has, or
   * outside of `basePath`, is a 404.
   */
  fetch(request: Request): Promise<Response>;
  /** Accepts or refuses a WebSocket. Returns null when no contract has its path: leave the socket alone then. */
  connect(request: HttpRequest): Promise<Connection | null>;
  /** Returns the OpenAPI 3.1 document of a mounted contract, made from its routes. */
  openapi(contractName: string): object;
  /** The log for errors that are reported nowhere else, including an adapter's own. */
  readonly logger: Logger;
  /** Ends every open stream and socket (1012). Clients may connect again. */
  close(): void;
}

/**
 * Builds the handler that adapters mount.
 *
 * @throws BelfryError `CONFIGURATION` for authentication that cannot work
 * @example
 * ```ts
 * const handler = createHandler(notifications, { contracts: [inboxV1()], auth: { jwt: { secret } } });
 * const response = await handler.fetch(request);
 * ```
 */
export function createHandler(service: ContractService, options: HandlerOptions): HttpHandler {
  const core = new HandlerCore(service, options);
  const handle = (request: HttpRequest) => core.handle(request);
  return {
    handle,
    fetch: fetchHandler(handle, options.basePath ?? ""),
    connect: (request) => acceptSocket(core, request),
    openapi: (contractName) => openapiDocument(core.contract(contractName)),
    logger: core.logger,
    close: () => core.streams.closeAll(),
  };
}
