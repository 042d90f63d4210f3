import { SignJWT } from "jose";
import { expectDocumented } from "./documented.ts";

export const JWT_SECRET = "a-secret-of-the-conformance-suite";

/** A JWT of the suite's secret. */
export async function jwt(userId: string, claims: { readonly clientId?: string; readonly expiresInS?: number } = {}): Promise<string> {
  return new SignJWT(claims.clientId === undefined ? {} : { client_id: claims.clientId })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(userId)
    .setExpirationTime(Math.floor(Date.now() / 1_000) + (claims.expiresInS ?? 3_600))
    .sign(new TextEncoder().encode(JWT_SECRET));
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Null for an empty body, the text itself where it is no JSON. */
  readonly body: unknown;
}

/** What to send. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array;
}

/** Asks over real HTTP. */
export async function ask(url: string, { method = "GET", headers = {}, json, raw }: Ask = {}): Promise<Answer> {
  const body = json === undefined ? raw : JSON.stringify(json);
  const type = json === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { ...type, ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
  });
  const text = await response.text();
  const answer = { status: response.status, headers: response.headers, body: parsed(text) };
  expectDocumented(method, url, answer);
  return answer;
}

function parsed(text: string): unknown {
  if (text === "") {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON; the text is then what the test looks at.
    return text;
  }
}
