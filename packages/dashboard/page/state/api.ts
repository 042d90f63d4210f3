import type { ApiError } from "../../src/wire.ts";
import { TENANT } from "./place.ts";

/** The page's mount point: the path it was loaded from. */
const BASE = location.pathname.replace(/\/+$/, "");

/** Statuses from a proxy that cannot reach the server, for example during a restart; 0 means no answer. */
const UNREACHABLE: readonly number[] = [0, 502, 503, 504];

/** Query parameters; undefined and empty ones are not sent. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** A failed request, in words for a person. */
export class ApiFailure extends Error {
  override readonly name = "ApiFailure";
  /** The HTTP status; 0 when the server could not be reached. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }

  /** Whether the server may soon be back by itself. */
  get isUnreachable(): boolean {
    return UNREACHABLE.includes(this.status);
  }

  /** Turns any error into a failure to show. */
  static of(error: unknown): ApiFailure {
    return error instanceof ApiFailure ? error : new ApiFailure(String(error), -1);
  }
}

/** The address of an endpoint. */
export function apiUrl(path: string, query: Query = {}): string {
  const given = Object.entries({ ...query, tenant: TENANT }).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
  return `${BASE}/api/${path}${search.size > 0 ? `?${search}` : ""}`;
}

/** Sends a GET request. @throws ApiFailure */
export function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  const unreachable = "The server cannot be reached. The page tries again by itself.";
  return ask<Answer>(apiUrl(path, query), { init: signal === undefined ? {} : { signal }, unreachable });
}

/** Sends a POST request. @throws ApiFailure */
export function post<Answer>(path: string, body: object = {}, query: Query = {}): Promise<Answer> {
  const headers = { "content-type": "application/json", "x-belfry-dashboard": "1" };
  const unreachable = "The server cannot be reached. Nothing was changed as far as the page knows; try again.";
  return ask<Answer>(apiUrl(path, query), { init: { method: "POST", headers, body: JSON.stringify(body) }, unreachable });
}

async function ask<Answer>(
  url: string,
  { init, unreachable }: { readonly init: RequestInit; readonly unreachable: string },
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") {
      throw error;
    }
    throw new ApiFailure(unreachable, 0);
  }
  if (!response.ok) {
    throw new ApiFailure(await messageOf(response), response.status);
  }
  if (!/^application\/json\b/i.test(response.headers.get("content-type") ?? "")) {
    // This is a login page of the host, or of a proxy on the way.
    throw new ApiFailure("What answered is not the dashboard. Perhaps you are logged out: load the page anew.", response.status);
  }
  return (await response.json()) as Answer;
}

/** Says in words why a request failed. */
export async function messageOf(response: Response): Promise<string> {
  try {
    const { error } = (await response.json()) as ApiError;
    return error.message;
  } catch {
    // Something other than Belfry answered: a proxy on the way, for example.
    return `The server answered ${response.status} ${response.statusText}.`;
  }
}
