import type { ReadAnswer, Verdict } from "@belfry/egress";

/** The credentials were refused: whoever runs the host can mend that, so the delivery is tried again. */
export function refusedCredentials(provider: string, reason: string): Verdict {
  return { accepted: false, transient: true, error: `${provider} refused the credentials: ${reason}` };
}

/** The message was refused for good. */
export function refusedMessage(provider: string, reason: string): Verdict {
  return { accepted: false, transient: false, error: `${provider} refused the message: ${reason}` };
}

/** Nothing will reach this recipient again. */
export function goneRecipient(provider: string, reason: string): Verdict {
  return { accepted: false, transient: false, error: `${provider} no longer knows the recipient: ${reason}`, isEndpointGone: true };
}

/** The provider cannot take it now. */
export function busyProvider(provider: string, reason: string, retryAfterMs?: number): Verdict {
  const error = `${provider} cannot take the message now: ${reason}`;
  return { accepted: false, transient: true, error, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}

/** A success whose body is not what the provider writes: perhaps something between answered, so it is tried again. */
export function unreadableAnswer(provider: string): Verdict {
  return { accepted: false, transient: true, error: `the answer is not one of ${provider}` };
}

/**
 * What the status of an API means where the body says no more: credentials are refused by 401, limits and troubles pass, and other
 * refusals are of the message. Null for a success, for a redirect and for what `httpOutcome` knows itself.
 */
export function statusVerdict(provider: string, { status }: ReadAnswer): Verdict | null {
  if (status === 401) {
    return refusedCredentials(provider, "401");
  }
  return status >= 400 && status < 500 && ![408, 410, 425, 429].includes(status) ? refusedMessage(provider, String(status)) : null;
}

/** A member of a JSON object, whatever that is. */
export function memberOf(json: unknown, name: string): unknown {
  return typeof json === "object" && json !== null ? Reflect.get(json, name) : undefined;
}

/** A code of the provider's, if it is a plain word or number: anything else stays in the kept answer alone. */
export function codeOf(value: unknown): string {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^[\w.-]{1,100}$/.test(text) ? text : "no reason given";
}
