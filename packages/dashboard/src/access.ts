import { type HttpRequest, isLocalRequest } from "@belfry/core/http";

/** A request as `authorize` sees it: plain data, and the framework's own request. */
export interface DashboardRequest extends HttpRequest {
  /** The framework's own request: Express' `request` with its session, or a fetch `Request`. */
  readonly raw: unknown;
  /** The HTTP version of the request, for example "1.1", if the framework tells. */
  readonly httpVersion?: string;
}

/** The rights of a person on the dashboard. */
export interface Access {
  /** Whether they see it at all; without it, the other members have no effect. */
  readonly read: boolean;
  /** Whether they may create, mark read, send, retry and cancel. */
  readonly act: boolean;
  /** Their name in the audit log; at most 255 characters. @default "dashboard" */
  readonly actor?: string;
  /** The tenant they look after. @default the dashboard's `tenant` */
  readonly tenant?: string;
}

/** Says what the sender of a request may do; null means nothing. Somebody who may not read may not act either. */
export type Authorize = (request: DashboardRequest) => Access | null | Promise<Access | null>;

/** The name in the audit log of people who have no other name. */
export const DEFAULT_ACTOR = "dashboard";

/**
 * The default of `authorize`: requests from this machine may do everything, other requests nothing. It recognises a proxy
 * on the same machine by the headers that proxies add. A proxy that adds none looks like the machine itself: give a
 * dashboard behind a proxy an `authorize` of its own.
 */
export const localOnly: Authorize = (request) => (isLocalRequest(request) ? { read: true, act: true, actor: DEFAULT_ACTOR } : null);

/** Turns any text from a host or a login form into a name for the audit log: well-formed, at most 255 characters, never empty. */
export function auditName(actor: string | undefined): string {
  const kept = [...(actor ?? "").toWellFormed().replaceAll("\u0000", "").trim()].slice(0, 255).join("");
  return kept === "" ? DEFAULT_ACTOR : kept;
}
