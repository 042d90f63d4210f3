import { BelfryError } from "@belfry/core";
import type { HttpRequest } from "@belfry/core/http";

/** The header that callers other than browsers send with every change. */
export const ACTION_HEADER = "x-belfry-dashboard";

/**
 * Refuses changes that a page of another site may have made a visitor's browser request (cross-site request forgery).
 * Browsers say where a request comes from, in headers that pages cannot write. A caller without those headers has to send
 * `X-Belfry-Dashboard`, which a page of another site cannot send either.
 *
 * @throws BelfryError `FORBIDDEN`
 */
export function requireSameOrigin({ method, headers }: HttpRequest): void {
  if (method === "GET" || method === "HEAD" || isSameOrigin(headers)) {
    return;
  }
  throw new BelfryError(
    "FORBIDDEN",
    `A change was asked for from "${headers.origin ?? "an unknown page"}", which is not this dashboard's own page. ` +
      `Use the page itself, or send the header ${ACTION_HEADER}: 1 from a program.`,
  );
}

function isSameOrigin(headers: HttpRequest["headers"]): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) {
    return site === "same-origin";
  }
  const { origin } = headers;
  if (origin !== undefined) {
    return URL.canParse(origin) && new URL(origin).host === headers.host?.toLowerCase();
  }
  return headers[ACTION_HEADER] !== undefined;
}
