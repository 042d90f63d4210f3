export type { AuthFunction, AuthOptions } from "./auth/authenticator.ts";
export {
  type Contract,
  defineContract,
  type Failure,
  type RequestPart,
  type SocketContext,
  type SocketEndpoint,
  type SocketHandshake,
  type SocketSession,
} from "./contract.ts";
export { createHandler, type HttpHandler } from "./create-handler.ts";
export { fromFetchRequest, toFetchResponse } from "./fetch.ts";
export type { HandlerOptions, RateLimiter } from "./handler-options.ts";
export type { HealthOptions } from "./health-checks.ts";
export { lineStream } from "./line-stream.ts";
export type { HttpRequest, HttpResponse, Peer, ResponseStream } from "./messages.ts";
export { openapiDocument } from "./openapi.ts";
export { type ConnectedRequest, isLocalRequest } from "./origins.ts";
export {
  choice as choiceParameter,
  integer as integerParameter,
  text as textParameter,
  timestamp as timestampField,
  uuid as uuidParameter,
} from "./parameters.ts";
export type { ClientPrincipal, CredentialScheme, Principal, UserPrincipal } from "./principal.ts";
export {
  type ContractService,
  type ContractTenant,
  type ContractTickets,
  defineRoute,
  type Given,
  given,
  inboxOf,
  type OpenStream,
  type Reply,
  type ResponseDoc,
  type Route,
  type RouteContext,
  type RouteDefinition,
  type RouteMethod,
  reply,
  type StreamStart,
} from "./route.ts";
export type { Connection } from "./socket.ts";
export type { SocketCounts } from "./socket-counts.ts";
export { SSE_HEADERS, type SseEvent, sseEvent, sseRetry } from "./sse.ts";
