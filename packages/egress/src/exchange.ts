import { type ClientRequest, type IncomingMessage, request as sendRequest } from "node:http";
import type { Target } from "./check-url.ts";
import type { PinnedAgent, PinnedRequestArgs } from "./connect.ts";
import type { EgressRequest, EgressResult } from "./egress.ts";
import { errorCode, failure, failureOfError } from "./failure.ts";
import { readBody } from "./read-body.ts";
import type { ResolvedAddress } from "./resolve.ts";

/** How many bytes of a body are read by default. */
const DEFAULT_MAX_BYTES = 16_384;

/** One request, its checked addresses, and the connections it may use. */
export interface Exchange {
  readonly target: Target;
  readonly addresses: readonly ResolvedAddress[];
  readonly request: EgressRequest;
  readonly agent: PinnedAgent;
  /** Never reuses a connection. */
  readonly freshAgent: PinnedAgent;
  readonly signal: AbortSignal;
}

/** Sends the request and reads the answer. An abort gives some failure; the caller knows why it aborted. */
export async function exchange(parts: Exchange): Promise<EgressResult> {
  const first = await attempt(parts, parts.agent);
  // A server may end an idle connection, without an answer, just as it is used again: then the request goes out once more.
  return first === "stale" ? ((await attempt(parts, parts.freshAgent)) as EgressResult) : first;
}

function attempt(parts: Exchange, agent: PinnedAgent): Promise<EgressResult | "stale"> {
  return new Promise((resolve) => {
    const request = sendRequest(requestArgs(parts, agent));
    request.once("response", (response) => resolve(answerOf(response, parts)));
    request.once("upgrade", (_response, socket) => {
      socket.destroy();
      resolve(failure("bad_answer"));
    });
    request.once("error", (error) => resolve(isStale(request, error) ? "stale" : failureOfError(error)));
    // If the promise is already resolved, this changes nothing.
    request.once("close", () => resolve(failure("connection_lost")));
    request.end(parts.request.body);
  });
}

function isStale(request: ClientRequest, error: unknown): boolean {
  const code = errorCode(error);
  return request.reusedSocket && (code === "ECONNRESET" || code === "EPIPE");
}

function requestArgs({ target, addresses, request, signal }: Exchange, agent: PinnedAgent): PinnedRequestArgs {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    headers[name.toLowerCase()] = value;
  }
  return {
    // The agent adds TLS if the URL asks for it.
    protocol: "http:",
    method: request.method,
    host: target.hostname,
    port: target.port,
    path: target.path,
    headers: { ...headers, host: target.hostHeader, "accept-encoding": "identity" },
    agent,
    signal,
    pinned: { hostname: target.hostname, port: target.port, addresses },
  };
}

async function answerOf(response: IncomingMessage, { request }: Exchange): Promise<EgressResult> {
  const { bytes, end } = await readBody(response, request.maxBytes ?? DEFAULT_MAX_BYTES);
  if (end !== "complete" && request.overflow === "refuse") {
    return failure(end === "over" ? "too_large" : "connection_lost");
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : (value ?? "");
  }
  return { ok: true, status: response.statusCode ?? 0, headers, body: bytes, isCut: end !== "complete" };
}
