import type { Logger } from "../foundation/logger.ts";
import { fetchHandler } from "./fetch.ts";
import { HandlerCore } from "./handler-core.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import { openapiDocument } from "./openapi.ts";
import type { ContractService } from "./route.ts";
import { acceptSocket, type Connection } from "./socket.ts";

/** Serves contracts, framework or none. */
export interface HttpHandler {
  /** Answers a request, or null when no contract has its path: the host's own routes go on with it. */
  handle(request: HttpRequest): Promise<HttpResponse | null>;
  /** The same for every runtime that speaks Request and Response; a path that no contract has is a 404. */
  fetch(request: Request): Promise<Response>;
  /** Accepts or refuses a WebSocket; null when its path is no contract's, and the socket is to be left alone. */
  connect(request: HttpRequest): Promise<Connection | null>;
  /** The OpenAPI 3.1 document of a mounted contract, made from the routes that answer. */
  openapi(contractName: string): object;
  /** Where errors go that nobody else hears of, an adapter's own included. */
  readonly logger: Logger;
  /** Ends every open stream and socket (1012); they may come again. */
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
