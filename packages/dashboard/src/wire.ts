import type { ActivitySummary } from "@belfry/core";

/** What a type becomes on its way through JSON: dates are texts. */
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

/** Who the page's reader is, and what they may do. */
export interface Session {
  readonly actor: string;
  readonly tenant: string;
  readonly act: boolean;
  /** The declared notification types. */
  readonly types: readonly { readonly name: string; readonly label: string }[];
}

/** What the live stream tells. */
export interface LiveEvents {
  /** Connected, and caught up: whatever is asked for from now on is followed. */
  readonly hello: { readonly newest: string | null };
  /** A notification was created, or something of it changed. A page may hear of the same creation twice. */
  readonly notification: { readonly change: "created" | "changed"; readonly notification: ActivitySummary };
  /** Inboxes of these users changed. */
  readonly inbox: { readonly userIds: readonly string[] };
  /** More happened than is told one by one: ask anew. */
  readonly reset: { readonly reason: "too_much" | "removed" };
}
