import type { z } from "zod";
import type { Devices, Topics } from "../audiences/index.ts";
import type { Preferences, Unsubscribing } from "../decisions/index.ts";
import type {
  Acting,
  AskedByContract,
  ChannelExplanation,
  ChannelInfo,
  ExplainInput,
  Receipts,
  Send,
  TrackedNotifications,
} from "../delivery/index.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import type { Hub } from "../hub/index.ts";
import type { Created, Inbox, InboxItem } from "../inbox/index.ts";
import type { NotificationTypes, UntypedCreateInput, UntypedTopicInput } from "../notifications/index.ts";
import type { DeletedUser, UserNames } from "../privacy/index.ts";
import type { HttpRequest, ResponseStream } from "./messages.ts";
import type { Principal } from "./principal.ts";

/** The part of a `NotificationService` that contracts use. It does not depend on the service's types and storage. */
export interface ContractService {
  readonly types: NotificationTypes;
  readonly defaultTenant: ContractTenant;
  readonly socketTickets: ContractTickets;
  /** Records what providers report of deliveries of any tenant. */
  readonly receiptsOfAll: Pick<Receipts, "record">;
  /** Follows the links of mails. Null, or left out, where there are none. */
  readonly unsubscribing?: Pick<Unsubscribing, keyof Unsubscribing> | null;
  /** Says whether requests should be sent to this process, and if not, why in one word. */
  readiness(): Promise<{ readonly isReady: boolean; readonly reason: string | null }>;
  tenant(tenantId: string): ContractTenant;
}

/** The part of a service's tickets for WebSockets that contracts use. */
export interface ContractTickets {
  /** Makes a ticket that stands for the credential headers among `headers`. */
  issue(headers: HttpRequest["headers"]): Promise<{ readonly ticket: string; readonly lifetimeMs: number }>;
  /** Uses a ticket up and returns the headers that it stands for; null for one that is not valid, or not any more. */
  redeem(ticket: string): Promise<HttpRequest["headers"] | null>;
}

/** The part of one tenant's notifications that contracts use. */
export interface ContractTenant extends Pick<TrackedNotifications, keyof TrackedNotifications> {
  readonly tenantId: string;
  readonly hub: Hub;
  readonly preferences: Pick<Preferences, "list" | "set" | "takeBack" | "setSettings">;
  readonly topics: Pick<Topics, "subscribe" | "unsubscribe" | "subscriptions" | "subscribers">;
  readonly devices: Pick<Devices, "register" | "list" | "remove" | "webPushKey">;
  channels(): readonly ChannelInfo[];
  readonly receipts: Pick<Receipts, "record">;
  explain(userId: string, type: string, input?: ExplainInput): Promise<readonly ChannelExplanation[]>;
  deleteFromContract(id: string, acting: Acting): Promise<void>;
  createFromContract(input: UntypedCreateInput, category?: string): Promise<Created>;
  createUntyped(input: UntypedCreateInput | UntypedTopicInput): Promise<Created>;
  trackFromContract(input: UntypedCreateInput | UntypedTopicInput, asked?: AskedByContract): Promise<Send>;
  inbox(userId: string): Inbox;
  exportUser(userId: string, names?: UserNames): AsyncIterable<string>;
  deleteUser(userId: string, names?: UserNames): Promise<DeletedUser>;
  latest(limit: number): Promise<readonly InboxItem[]>;
}

/** The parts that a route's handler uses. Path, query and body are already checked. */
export interface RouteContext<Params = unknown, Query = unknown, Body = unknown> {
  readonly service: ContractService;
  /** The caller's tenant. */
  readonly tenant: ContractTenant;
  readonly principal: Principal;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly request: HttpRequest;
  /** Whether the host opens WebSockets. */
  readonly hasSockets: boolean;
  /** Logs an error that is reported nowhere else. */
  report(error: unknown, message: string): void;
  /**
   * Makes a streamed response. Belfry watches it for silence, slow readers and the end of the credential.
   *
   * @param ping what it sends after 30 s of silence @default a comment, as Server-Sent Events have it
   */
  stream(start: StreamStart, ping?: string): ResponseStream;
}

/** Starts the writer of a stream and returns the function that stops it; see `StreamRegistry`. */
export type StreamStart = (stream: OpenStream) => () => void;

/** The writing side of one open stream or socket. */
export interface OpenStream {
  /**
   * Sends one piece of text, as fast as its reader takes it. A reader that leaves more than 1 MiB and takes nothing of it for
   * 5 s, or for which more than 64 MiB wait, is cut off.
   */
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Resolves when the reader has taken enough for a replay to continue, or when the stream is over; undefined if it has. */
  writable(): Promise<void> | undefined;
}

/** The answer of a route. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The JSON body; left out for an empty body. */
  readonly json?: unknown;
  /** The JSON body as text, instead of {@link json}. */
  readonly jsonText?: string;
  readonly stream?: ResponseStream;
}

/** A possible answer of a route, for the documentation. */
export interface ResponseDoc {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** @default "application/json" */
  readonly contentType?: string;
}

/** Returns a function that picks the documentation of error answers by their statuses. */
export function errorDocs<Status extends number>(docs: Readonly<Record<Status, ResponseDoc>>) {
  return (...statuses: readonly Status[]): Readonly<Record<number, ResponseDoc>> =>
    Object.fromEntries(statuses.map((status) => [status, docs[status]]));
}

/** A route's parameters, its answers, and the function that answers. */
export interface RouteDefinition<Params, Query, Body> {
  readonly operationId: string;
  readonly summary: string;
  readonly params?: z.ZodType<Params>;
  readonly query?: z.ZodType<Query>;
  /**
   * Whether the parsed form of short queries is remembered, for routes that get the same ones again and again. Their schema must
   * go by the text alone, not by the time, and they may hold no secret. @default false
   */
  readonly isQueryRemembered?: boolean;
  readonly body?: z.ZodType<Body>;
  /** The headers that it reads, for the documentation. */
  readonly headers?: z.ZodObject;
  /** Whether the body may be left out. @default false */
  readonly bodyOptional?: boolean;
  /** Whether it answers everybody, with or without a credential. @default false */
  readonly isPublic?: boolean;
  /** The right that it takes beside the scope, for clients whose principal names its rights. @default none */
  readonly action?: string;
  /** Whether it counts against a client's limit for creates. @default false */
  readonly isRateLimited?: boolean;
  /** The query parameter that may carry the credential, for clients that cannot send headers. @default none */
  readonly credentialParameter?: string;
  /** Its answers. Errors that many routes share, such as 401 and 413, are documented without it: see `openapiDocument`. */
  readonly responses: Readonly<Record<number, ResponseDoc>>;
  /** Answers a request. What it throws, or rejects with, becomes the contract's error answer. */
  handle(context: RouteContext<Params, Query, Body>): MaybePromise<Reply>;
}

/** The methods that a route can have. */
export type RouteMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A route of a contract, with any parameters. */
export interface Route extends RouteDefinition<never, never, never> {
  readonly method: RouteMethod;
  readonly path: string;
}

/**
 * Declares a route. Its function gets the parsed output of the schemas.
 *
 * @param path has `{name}` for a parameter and `{name*}` for one that takes the rest of the path, slashes included. It has no
 *   trailing slash, but requests with and without one are answered.
 *
 * @example
 * ```ts
 * defineRoute("GET", "/bell/count", {
 *   operationId: "count",
 *   summary: "How many notifications are unread",
 *   responses: { 200: { description: "The number", schema: z.object({ unread: z.int() }) } },
 *   handle: async (context) => reply({ unread: (await inboxOf(context).counts()).unread }),
 * });
 * ```
 */
export function defineRoute<Params = unknown, Query = unknown, Body = unknown>(
  method: RouteMethod,
  path: string,
  definition: RouteDefinition<Params, Query, Body>,
): Route {
  return { method, path, ...definition } as unknown as Route;
}

/** Answers with JSON. */
export function reply(json: unknown, status = 200): Reply {
  return { status, json };
}

/** Returns the caller's own inbox, for the routes of a contract whose principal is a user. */
export function inboxOf({ tenant, principal }: Pick<RouteContext, "tenant" | "principal">): Inbox {
  if (principal.kind !== "user") {
    throw new Error("A client asked for its inbox, which only users have. The contract's principal must be a user.");
  }
  return tenant.inbox(principal.userId).activeOnly();
}

/** Leaves out the members that are undefined or null, as the optional members of a query or body may be. */
export function given<Members extends object>(members: Members): Given<Members> {
  const found: { [Name in keyof Members]?: NonNullable<Members[Name]> } = {};
  for (const name in members) {
    const value = members[name];
    if (value != null) {
      found[name] = value;
    }
  }
  return found;
}

/** The members of an object, each of which may be missing, but not undefined or null. */
export type Given<Members> = { readonly [Name in keyof Members]?: NonNullable<Members[Name]> };
