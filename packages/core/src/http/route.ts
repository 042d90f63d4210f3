import type { z } from "zod";
import type { Send, SendInput, Sends } from "../delivery/index.ts";
import type { Hub } from "../hub/index.ts";
import type { Created, Inbox, InboxItem } from "../inbox/index.ts";
import type { NotificationTypes, UntypedCreateInput } from "../notifications/index.ts";
import type { HttpRequest, ResponseStream } from "./messages.ts";
import type { Principal } from "./principal.ts";

/** The part of a `NotificationService` that contracts use, whatever types and storage it was made with. */
export interface ContractService {
  readonly types: NotificationTypes;
  readonly defaultTenant: ContractTenant;
  tenant(tenantId: string): ContractTenant;
}

/** The part of one tenant's notifications that contracts use. */
export interface ContractTenant {
  readonly tenantId: string;
  readonly sends: Sends;
  readonly hub: Hub;
  createFromContract(input: UntypedCreateInput): Promise<Created>;
  sendFromContract(input: SendInput): Promise<Send>;
  inbox(userId: string): Inbox;
  latest(limit: number): Promise<readonly InboxItem[]>;
}

/** What a route's handler works with; path, query and body are checked by then. */
export interface RouteContext<Params, Query, Body> {
  readonly service: ContractService;
  /** The tenant of whoever asks. */
  readonly tenant: ContractTenant;
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: HttpRequest;
  /** Logs an error nobody else hears of. */
  report(error: unknown, message: string): void;
  /** Makes the response of a stream that is watched for silence, slow readers and the end of the credential. */
  stream(start: StreamStart): ResponseStream;
}

/** Starts what writes to a stream; see `StreamRegistry`. */
export type StreamStart = (stream: OpenStream) => () => void;

/** The writing side of one open stream or socket. */
export interface OpenStream {
  /** Sends one piece of text. A reader that has left more than 1 MiB for 5 s, or 8 MiB from before this turn, is cut off instead. */
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Resolves when little enough is outstanding to go on with a replay, or when the stream is over. */
  writable(): Promise<void>;
}

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answered as JSON; left out for an empty body. */
  readonly json?: unknown;
  readonly stream?: ResponseStream;
}

/** One answer that a route can give, for the documentation. */
export interface ResponseDoc {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** @default "application/json" */
  readonly contentType?: string;
}

/** A route as data: what it takes, what it answers, and the function that answers. */
export interface RouteDefinition<Params, Query, Body> {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /**
   * With `{name}` for a parameter, `{name*}` for one that takes the rest of the path, slashes included; without a
   * trailing slash, though both spellings answer.
   */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  readonly body?: z.ZodType<Body>;
  /** Whether the body may be left out. @default false */
  readonly bodyOptional?: boolean;
  /** Whether it answers everybody, with or without a credential. @default false */
  readonly isPublic?: boolean;
  /** Whether it counts against the limit of what a client may create. @default false */
  readonly isRateLimited?: boolean;
  /** The query parameter that may carry the credential, where clients cannot send headers. @default none */
  readonly credentialParameter?: string;
  readonly responses: Readonly<Record<number, ResponseDoc>>;
  handle(context: RouteContext<Params, Query, Body>): Promise<Reply>;
}

/** A route of any parameters, as a contract lists it. */
export type Route = RouteDefinition<never, never, never>;

/** Declares a route; its handler gets what the schemas parse. */
export function defineRoute<Params = unknown, Query = unknown, Body = unknown>(route: RouteDefinition<Params, Query, Body>): Route {
  return route as unknown as Route;
}
