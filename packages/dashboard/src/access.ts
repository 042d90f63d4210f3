import { type HttpRequest, isLocalRequest } from "@belfry/core/http";

/** A request as `authorize` sees it: plain data, and the framework's own request. */
export interface DashboardRequest extends HttpRequest {
  /** The framework's own request: Express' `request` with its session, or a fetch `Request`. */
  readonly raw: unknown;
  /** The HTTP version of the request, for example "1.1", if the framework tells. */
  readonly httpVersion?: string;
}

/**
 * What people can do on the dashboard, beside looking: create a notification (`create`), mark a user's item as read (`markRead`),
 * send a test (`send`), try again what failed or waits (`retry`), stop a send (`cancel`), pause a channel, an endpoint or everything (`pause`), suppress addresses or lift them
 * (`suppress`), and export or delete all data of a user (`exportUser`, `deleteUser`).
 */
export const DASHBOARD_ACTIONS = [
  "create",
  "markRead",
  "send",
  "retry",
  "cancel",
  "pause",
  "suppress",
  "exportUser",
  "deleteUser",
] as const;

/** Something that people can do on the dashboard; see {@link DASHBOARD_ACTIONS}. */
export type DashboardAction = (typeof DASHBOARD_ACTIONS)[number];

/** The rights of a person in one tenant. */
export interface Role {
  /** Whether they see it at all; without it, the other members have no effect. */
  readonly read: boolean;
  /** Whether they may do everything or nothing, or the actions that they may do. */
  readonly act: boolean | readonly DashboardAction[];
}

/** The rights of a person on the dashboard. */
export interface Access extends Role {
  /** Their name in the audit log; at most 255 characters. @default "dashboard" */
  readonly actor?: string;
  /** The tenant they look after. @default the dashboard's `tenant` */
  readonly tenant?: string;
  /** Other tenants that they look after, and their rights there. The page lets them choose. @default none */
  readonly tenants?: Readonly<Record<string, Role>>;
}

/**
 * Says what the sender of a request may do; null means nothing. Somebody who may not read may not act either. An answer with a member or an
 * action that is not known, or with one of the wrong type, lets nobody in: the request fails, and the log says what is wrong.
 */
export type Authorize = (request: DashboardRequest) => Access | null | Promise<Access | null>;

/** The name in the audit log of people who have no other name. */
export const DEFAULT_ACTOR = "dashboard";

/**
 * The default of `authorize`: requests from this machine may do everything, other requests nothing. It recognises a proxy
 * on the same machine by the headers that proxies add. A proxy that adds none looks like the machine itself: give a
 * dashboard behind a proxy an `authorize` of its own.
 */
export const localOnly: Authorize = (request) => (isLocalRequest(request) ? { read: true, act: true, actor: DEFAULT_ACTOR } : null);
