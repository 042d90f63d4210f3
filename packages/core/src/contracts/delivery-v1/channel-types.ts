import { requireNone } from "../../foundation/issue-list.ts";
import type { ContractTenant } from "../../http/route.ts";
import { INBOX_CHANNEL } from "../../notifications/index.ts";

/** The document's names of channels. */
export const TYPES = ["email", "websocket", "webhook"] as const;

/** Returns the contract's type for a channel. */
export function typeOf(channel: string): string {
  return channel === INBOX_CHANNEL ? "websocket" : channel;
}

/** Returns the channel for a type of the contract. */
export function channelOf(type: string): string {
  return type === "websocket" ? INBOX_CHANNEL : type;
}

/** Whether a type is one of the document's three. */
export function isOfDocument(type: string): boolean {
  return TYPES.some((name) => name === type);
}

/** Refuses a type that is neither of the document nor a channel of the service. @throws BelfryError `VALIDATION_ERROR` */
export function requireType(tenant: Pick<ContractTenant, "channels">, type: string | undefined): void {
  if (type === undefined || isOfDocument(type)) {
    return;
  }
  const others = tenant.channels().flatMap(({ name }) => (name === INBOX_CHANNEL || isOfDocument(name) ? [] : [name]));
  const message = `Input should be one of ${[...TYPES, ...others].map((name) => `'${name}'`).join(", ")}`;
  requireNone([others.includes(type) ? null : { path: ["type"], type: "enum", message }]);
}
