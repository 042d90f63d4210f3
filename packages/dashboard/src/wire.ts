import type { ActivitySummary, AuditEntry } from "@belfry/core";
import type { DashboardAction } from "./access.ts";

/** A type after its way through JSON: dates are texts. */
export type Json<Value> = Value extends Date
  ? string
  : Value extends readonly (infer Element)[]
    ? readonly Json<Element>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Json<Value[Key]> }
      : Value;

/** An answer that is an error. */
export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly issues: readonly { readonly path: string; readonly message: string }[];
    readonly part?: string;
  };
}

/** The page's reader, and what they may do. */
export interface Session {
  readonly actor: string;
  /** The tenant that the page shows. */
  readonly tenant: string;
  /** Every tenant that it may show to them. */
  readonly tenants: readonly string[];
  /** Whether they may do anything in this tenant. */
  readonly act: boolean;
  /** What they may do in it. */
  readonly actions: readonly DashboardAction[];
  /** The declared notification types. */
  readonly types: readonly { readonly name: string; readonly label: string }[];
}

/** A page of the audit log, newest first. */
export interface AuditPage {
  readonly lines: readonly AuditEntry[];
  /** The number below which the next page goes on; null at the end. */
  readonly before: number | null;
}

/** The events of the live stream. */
export interface LiveEvents {
  /** Connected and caught up: from now on, no change is missed. */
  readonly hello: { readonly newest: string | null };
  /** A notification was created or has changed. A page may get the same creation twice. */
  readonly notification: { readonly change: "created" | "changed"; readonly notification: ActivitySummary };
  /** Inboxes of these users changed. */
  readonly inbox: { readonly userIds: readonly string[] };
  /** More happened than the stream reports one by one: load anew. */
  readonly reset: { readonly reason: "too_much" | "removed" };
}
