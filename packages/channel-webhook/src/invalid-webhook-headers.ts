const MAX_HEADERS = 20;
const MAX_VALUE_LENGTH = 4_096;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Visible ASCII, spaces and tabs: a line break would begin another header. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** The channel's own headers, and those that say how the request is carried. */
const OWN_HEADERS: ReadonlySet<string> = new Set([
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Says what is wrong with a tenant's own headers, one text for each problem; empty if they are valid. Call it when you
 * save them. The channel calls it again before each request, and fails the delivery for good if they are not valid.
 *
 * @example
 * ```ts
 * invalidWebhookHeaders({ "x-team": "shop" }); // []
 * ```
 */
export function invalidWebhookHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  const entries = Object.entries(headers);
  const problems = entries.map(([name, value]) => headerProblem(name, value)).filter((problem) => problem !== null);
  return entries.length > MAX_HEADERS
    ? [`there may be at most ${MAX_HEADERS} headers, there are ${entries.length}`, ...problems]
    : problems;
}

function headerProblem(name: string, value: unknown): string | null {
  if (!TOKEN.test(name)) {
    return `${JSON.stringify(name)} is not a header name`;
  }
  const lower = name.toLowerCase();
  if (OWN_HEADERS.has(lower) || lower.startsWith("webhook-") || lower.startsWith("proxy-")) {
    return `${name} is set by the channel itself`;
  }
  if (typeof value !== "string" || value.length > MAX_VALUE_LENGTH || !VALUE.test(value)) {
    return `${name} must be at most ${MAX_VALUE_LENGTH} visible ASCII characters, on one line`;
  }
  return null;
}
