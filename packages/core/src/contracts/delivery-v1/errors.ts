import type { ResponseDoc } from "../../http/route.ts";
import { errorSchema } from "./schemas.ts";

/** The base path of the contract. */
export const BASE = "/api/v1/notifications";

const DESCRIPTIONS = {
  400: "The body is no JSON, or a header is not valid",
  401: "No valid API key",
  403: "The API key may not do this",
  404: "There is no such notification",
  409: "The notification is not in a state for this, or no provider is configured",
  413: "The body is too large",
  415: "The body is not application/json",
  422: "A field or a parameter is not valid",
  429: "Too many notifications in too short a time",
} as const;

/** Returns the documentation of a route's error answers. */
export function errors(...statuses: readonly (keyof typeof DESCRIPTIONS)[]): Readonly<Record<number, ResponseDoc>> {
  return Object.fromEntries(statuses.map((status) => [status, { description: DESCRIPTIONS[status], schema: errorSchema }]));
}
