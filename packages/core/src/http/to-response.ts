import type { HttpResponse } from "./messages.ts";
import type { Reply } from "./route.ts";

/** The headers of every answer that is no stream. */
const NO_BODY = { "cache-control": "no-store", "x-content-type-options": "nosniff" };
const JSON_BODY = { "content-type": "application/json", ...NO_BODY };

/** Puts what a route answers into the form that is sent. */
export function toResponse(reply: Reply, method: string): HttpResponse {
  const { status, headers, json, jsonText, stream } = reply;
  if (stream) {
    return { status, headers: headers ?? {}, body: method === "HEAD" ? null : stream };
  }
  const text = jsonText ?? (json === undefined ? null : JSON.stringify(json));
  const shared = text === null ? NO_BODY : JSON_BODY;
  return { status, headers: headers === undefined ? shared : { ...shared, ...headers }, body: method === "HEAD" ? null : text };
}
