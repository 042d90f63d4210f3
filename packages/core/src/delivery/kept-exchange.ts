import { storable } from "../foundation/bounds.ts";
import type { AttemptExchange, KeptMessage } from "./delivery.ts";

const MAX_BODY = 4_096;
const MAX_URL = 2_048;
const MAX_VALUE = 500;
const MAX_NAME = 100;
const MAX_HEADERS = 50;

const MAX_TEXT = 1_000;

/** A provider's words as they are kept: they may be of any length and hold what no database keeps. */
export function short(text: string | undefined): string | null {
  return text === undefined ? null : storable(text, MAX_TEXT);
}

/** An exchange as it is kept. A channel is the host's own code: what it says may be of any length, and may be anything. */
export function keptExchange(given: unknown): AttemptExchange | null {
  const { request, response } = membersOf(given);
  const { method, url, ...sent } = membersOf(request);
  if (typeof method !== "string" || typeof url !== "string") {
    return null;
  }
  const { status, ...got } = membersOf(response);
  return {
    request: { method: storable(method, MAX_NAME), url: storable(url, MAX_URL), ...message(sent) },
    response: typeof status === "number" && Number.isFinite(status) ? { status, ...message(got) } : null,
  };
}

type Members = Readonly<Record<string, unknown>>;

function membersOf(value: unknown): Members {
  return typeof value === "object" && value !== null ? (value as Members) : {};
}

function message({ headers, body, isCut }: Members): KeptMessage {
  const text = typeof body === "string" ? body : "";
  const shown = Object.entries(membersOf(headers))
    .filter((header): header is [string, string] => typeof header[1] === "string")
    .slice(0, MAX_HEADERS)
    .map(([name, value]) => [storable(name, MAX_NAME), storable(value, MAX_VALUE)]);
  return { headers: Object.fromEntries(shown), body: storable(text, MAX_BODY), isCut: isCut === true || text.length > MAX_BODY };
}
