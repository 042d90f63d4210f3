import { type MembersOf, requireOptions } from "../foundation/issue-list.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import type { ContractService } from "./route.ts";

/** The paths of the health checks, below the mount point. */
export interface HealthOptions {
  /** Answers 200 as long as the process answers at all: restart it when it does not. @default "/health/live" */
  readonly livePath?: string;
  /** Answers 200 while requests should be sent to the process, and 503 while they should not. @default "/health/ready" */
  readonly readyPath?: string;
}

const HEALTH: MembersOf<HealthOptions> = { livePath: true, readyPath: true };

const PATHS = { livePath: "/health/live", readyPath: "/health/ready" };

const HEADERS = { "content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff" };

/**
 * Answers the health checks of load balancers and of what runs containers, to everybody. An answer says one word on why a process is not
 * ready, and nothing of the database.
 */
export class HealthChecks {
  readonly #service: Pick<ContractService, "readiness">;
  readonly #livePath: string | null;
  readonly #readyPath: string | null;

  /** @param options `false` for no checks */
  constructor(service: Pick<ContractService, "readiness">, options: boolean | HealthOptions) {
    const { livePath, readyPath } = { ...PATHS, ...(typeof options === "object" && options) };
    this.#service = service;
    this.#livePath = options === false ? null : livePath;
    this.#readyPath = options === false ? null : readyPath;
  }

  /** Answers a request for a check; null for all others. */
  handle({ method }: HttpRequest, path: string): Promise<HttpResponse> | HttpResponse | null {
    const isReadiness = path === this.#readyPath;
    if ((!isReadiness && path !== this.#livePath) || method === "OPTIONS") {
      return null;
    }
    if (method !== "GET" && method !== "HEAD") {
      return { status: 405, headers: { ...HEADERS, allow: "GET, HEAD" }, body: '{"status":"method_not_allowed"}' };
    }
    const answer = (status: number, body: object) => ({ status, headers: HEADERS, body: method === "HEAD" ? null : JSON.stringify(body) });
    if (!isReadiness) {
      return answer(200, { status: "alive" });
    }
    return this.#service
      .readiness()
      .then(({ isReady, reason }) => (isReady ? answer(200, { status: "ready" }) : answer(503, { status: "not_ready", reason })));
  }
}

/** Says what is wrong with the option `health`; null for nothing. @throws BelfryError `CONFIGURATION` for a member that it does not know */
export function healthIssue(health: unknown): string | null {
  if (health === undefined || typeof health === "boolean") {
    return null;
  }
  requireOptions("health, where it is not true or false,", health, HEALTH);
  const { livePath, readyPath } = { ...PATHS, ...(health as { readonly [Name in keyof HealthOptions]: unknown }) };
  const arePaths = [livePath, readyPath].every((path) => typeof path === "string" && /^\/[\w.~/-]*[\w.~-]$/.test(path));
  return arePaths && livePath !== readyPath ? null : "health takes two paths such as /health/live, below the mount point";
}
