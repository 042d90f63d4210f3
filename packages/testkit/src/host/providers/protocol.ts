import type { IncomingHttpHeaders } from "node:http";
import type { LocalAnswer } from "./local-server.ts";

/** A request that a provider's server got. */
export interface ProviderRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body: an object of JSON, or the fields of a form. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** A message that a provider's server got. */
export interface ProviderMessage extends ProviderRequest {
  /** The number, chat or channel; for webhooks, their path. */
  readonly to: string;
}

/**
 * How a provider answers, in its own protocol: it takes the message, has a limit that is reached (`limited`, with a wait of 7 seconds),
 * is out of order (`broken`), takes the request and never answers (`silent`), answers with something that is not its protocol
 * (`malformed`) or with far more than a client reads (`oversized`), refuses the credentials (`unauthorized`) or the message (`refused`),
 * or says that the recipient is no more (`gone`).
 */
export type ProviderBehaviour =
  | "taking"
  | "limited"
  | "broken"
  | "silent"
  | "malformed"
  | "oversized"
  | "unauthorized"
  | "refused"
  | "gone";

/** The answers that each provider has of its own. */
export type ProviderReplies = Readonly<Record<"limited" | "unauthorized" | "refused" | "gone", LocalAnswer>>;

/** The protocol of a provider: who a request is for, and its answers. */
export interface Protocol {
  recipientOf(request: ProviderRequest): string;
  taking(request: ProviderRequest): LocalAnswer;
  readonly replies: ProviderReplies;
}

/** Far more than a client reads. */
const OVERSIZED = "x".repeat(1_000_000);

/** The answer to a request; null for none. @param taking how the provider takes it */
export function answerBy(behaviour: ProviderBehaviour, replies: ProviderReplies, taking: () => LocalAnswer): LocalAnswer | null {
  switch (behaviour) {
    case "taking":
      return taking();
    case "silent":
      return null;
    case "broken":
      return { status: 500, body: "Internal Server Error" };
    case "malformed":
      return { status: 200, body: "<html><body>Welcome to nginx!</body></html>" };
    case "oversized":
      return { status: 200, body: OVERSIZED };
    default:
      return replies[behaviour];
  }
}

/** The wait of a limit, in seconds. */
export const LIMITED_S = 7;

/** The header of a limit. */
export const RETRY_AFTER = { "Retry-After": String(LIMITED_S) };

/** A member of a request's body, as a text. */
export function fieldOf({ body }: ProviderRequest, name: string): string {
  return String(body[name] ?? "");
}
