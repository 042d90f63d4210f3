import { SignJWT } from "jose";
import { expectDocumented } from "./documented.ts";

export const JWT_SECRET = "a-secret-of-the-conformance-suite";

/** Makes a JWT, signed with the suite's secret. */
export async function jwt(userId: string, claims: { readonly clientId?: string; readonly expiresInS?: number } = {}): Promise<string> {
  return new SignJWT(claims.clientId === undefined ? {} : { client_id: claims.clientId })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(userId)
    .setExpirationTime(Math.floor(Date.now() / 1_000) + (claims.expiresInS ?? 3_600))
    .sign(new TextEncoder().encode(JWT_SECRET));
}

/** A whole answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; null if it is empty, the text itself if it is not JSON. */
  readonly body: unknown;
}

/** The parts of a request. */
export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent unchanged. */
  readonly raw?: string | Uint8Array;
}

/** Sends a request over real HTTP. */
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
  expectDocumented({ method, url, headers }, answer);
  return answer;
}

function parsed(text: string): unknown {
  if (text === "") {
    return null;
  }
  try {
    return JSON.parse(text);
  } catch {
    // Not every answer is JSON; the test then looks at the text.
    return text;
  }
}
