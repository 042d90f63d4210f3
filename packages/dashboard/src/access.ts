import type { HttpRequest } from "@belfry/core/http";
import { isLocalRequest } from "./local-request.ts";

/** A request as `authorize` sees it: plain data, and whatever the framework made of it. */
export interface DashboardRequest extends HttpRequest {
  /** The framework's own request: Express' `request` with its session, or a fetch `Request`. */
  readonly raw: unknown;
  /** The version of HTTP it came by, for example "1.1", if the framework tells. */
  readonly httpVersion?: string;
}

/** What somebody may do with the dashboard. */
export interface Access {
  /** Whether they see it at all; without it, nothing else counts. */
  readonly read: boolean;
  /** Whether they may create, mark read, send, retry and cancel. */
  readonly act: boolean;
  /** Names them in the audit log; at most 255 characters. @default "dashboard" */
  readonly actor?: string;
  /** The tenant they look after. @default the dashboard's `tenant` */
  readonly tenant?: string;
}

/** Says what the sender of a request may do; null for nothing. Who may not read may not act either. */
export type Authorize = (request: DashboardRequest) => Access | null | Promise<Access | null>;

/** The name in the audit log of whoever has no other. */
export const DEFAULT_ACTOR = "dashboard";

/**
 * The rule of a dashboard that was given none: whoever sits at the machine may do everything, and nobody else anything.
 * It tells a proxy on the same machine by what proxies leave in a request; one that leaves nothing looks like the machine
 * itself. A dashboard behind a proxy needs a rule of its own.
 */
export const localOnly: Authorize = (request) => (isLocalRequest(request) ? { read: true, act: true, actor: DEFAULT_ACTOR } : null);

/** Makes an audit log's name of whatever a host or a login form gave: well-formed, at most 255 characters, never empty. */
export function auditName(actor: string | undefined): string {
  const kept = [...(actor ?? "").toWellFormed().replaceAll("\u0000", "").trim()].slice(0, 255).join("");
  return kept === "" ? DEFAULT_ACTOR : kept;
}
