import type { EgressRequest, EgressResult } from "./egress.ts";

/** What stands for a value that may be a credential. */
const HIDDEN = "***";

/** The headers of a request that hold no credential. Whatever else a host sends may. */
const SAFE: readonly string[] = [
  ...["accept", "content-encoding", "content-length", "content-type", "idempotency-key", "user-agent"],
  ...["webhook-id", "webhook-timestamp"],
];

/** What the names of headers of an answer look like that may hold one. */
const SECRET = /auth|cookie|credential|key|secret|session|signature|token/;

/** The headers and the body of a request or an answer. */
export interface KeptPart {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether more of the body came than was read. */
  readonly isCut: boolean;
}

/** A request and its answer without credentials, for operators. */
export interface KeptExchange {
  readonly request: KeptPart & { readonly method: string; readonly url: string };
  /** Null when there was no answer. */
  readonly response: (KeptPart & { readonly status: number }) | null;
}

/**
 * A request and its result without credentials: of the request's headers only those that can hold none keep their values, and of the URL's query
 * only the names. A channel returns it as its outcome's `exchange`; the engine keeps the beginning of long parts.
 *
 * @example
 * ```ts
 * const result = await egress.send(task.address, request);
 * return { ...httpOutcome(result, facts), exchange: keptExchange(task.address, request, result) };
 * ```
 */
export function keptExchange(url: string, request: EgressRequest, result: EgressResult): KeptExchange {
  const sent = { headers: shown(request.headers ?? {}, (name) => SAFE.includes(name)), body: textOf(request.body ?? ""), isCut: false };
  return {
    request: { method: request.method, url: withoutSecrets(url), ...sent },
    response: result.ok
      ? {
          status: result.status,
          headers: shown(result.headers, (name) => !SECRET.test(name)),
          body: textOf(result.body),
          isCut: result.isCut,
        }
      : null,
  };
}

function shown(headers: Readonly<Record<string, string>>, isSafe: (name: string) => boolean): Readonly<Record<string, string>> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
  return Object.fromEntries(named.map(([name, value]) => [name, isSafe(name) ? value : HIDDEN]));
}

function textOf(body: string | Uint8Array): string {
  return typeof body === "string" ? body : new TextDecoder().decode(body);
}

function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) {
    return "";
  }
  const url = new URL(text);
  const names = [...new Set(url.searchParams.keys())];
  const query = names.length === 0 ? "" : `?${names.map((name) => `${encodeURIComponent(name)}=${HIDDEN}`).join("&")}`;
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}
