import { BelfryError, consoleLogger, type Logger, requireOptions } from "@belfry/core";
import { createHandler, type HttpHandler, type HttpRequest, type HttpResponse, type Principal } from "@belfry/core/http";
import { type Access, type Authorize, auditName, type DashboardRequest, localOnly } from "./access.ts";
import { apiContract } from "./api/contract.ts";
import { assetResponse } from "./assets.ts";
import type { DashboardOptions, DashboardService } from "./dashboard-options.ts";
import { ActivityFeeds } from "./live/activity-feeds.ts";
import { deniedPage, failedPage, page } from "./page.ts";
import { requireSameOrigin } from "./same-origin.ts";

const OPTIONS: Readonly<Record<keyof DashboardOptions, true>> = {
  authorize: true,
  challenge: true,
  tenant: true,
  basePath: true,
  logger: true,
};

/** Checks the values of options, as a host without TypeScript may have them. */
function checkTexts(options: DashboardOptions): void {
  for (const name of ["challenge", "basePath"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "string") {
      throw new BelfryError("CONFIGURATION", `dashboard's ${name} must be a text, is ${typeof options[name]}.`);
    }
  }
  if (options.authorize !== undefined && typeof options.authorize !== "function") {
    throw new BelfryError("CONFIGURATION", `dashboard's authorize must be a function of the request, is ${typeof options.authorize}.`);
  }
}

/** Answers the dashboard's requests, with or without a framework. */
export class DashboardHandler {
  readonly #authorize: Authorize;
  readonly #hasOwnRule: boolean;
  readonly #challenge: string | undefined;
  readonly #tenant: string;
  readonly #logger: Logger;
  readonly #api: HttpHandler;
  #hasWarned = false;

  constructor(notifications: DashboardService, options: DashboardOptions) {
    if (typeof notifications?.tenant !== "function") {
      throw new BelfryError("CONFIGURATION", "dashboard needs a NotificationService first: dashboard(notifications, { authorize }).");
    }
    requireOptions("dashboard", options, OPTIONS);
    checkTexts(options);
    this.#authorize = options.authorize ?? localOnly;
    this.#hasOwnRule = options.authorize !== undefined;
    this.#challenge = options.challenge;
    this.#tenant = (options.tenant === undefined ? notifications.defaultTenant : notifications.tenant(options.tenant)).tenantId;
    this.#logger = options.logger ?? consoleLogger;
    const feeds = new ActivityFeeds(notifications, this.#logger);
    const stillReads = (request: HttpRequest, tenant: string) => this.#stillReads(request, tenant);
    this.#api = createHandler(notifications, {
      contracts: [apiContract({ service: notifications, feeds, stillReads, challenge: this.#challenge })],
      auth: (request) => this.#principal(request),
      logger: this.#logger,
    });
  }

  /** Answers a request; null if the dashboard has no such path. */
  async handle(request: DashboardRequest): Promise<HttpResponse | null> {
    const [path = "", query = ""] = request.url.split("?", 2);
    // The page is one document at the mount point. Its view is in the query, so the page need not know its own path.
    if (path !== "" && path !== "/") {
      return this.#api.handle(request);
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return { status: 405, headers: { allow: "GET, HEAD", "cache-control": "no-store", "x-content-type-options": "nosniff" }, body: null };
    }
    const asset = new URLSearchParams(query).get("asset");
    const answer = asset === null ? await this.#page(request) : await assetResponse(asset, request);
    return request.method === "HEAD" ? { ...answer, body: null } : answer;
  }

  /** Ends every live stream. */
  close(): void {
    this.#api.close();
  }

  /** Answers with the page. It lets in the same people as the API, and counts wrong passwords in the same way. */
  async #page(request: DashboardRequest): Promise<HttpResponse> {
    const session = await this.#api.handle({ ...request, method: "GET", url: "/api/session" });
    if (session?.status === 200) {
      return page();
    }
    const isDenied = session === null || session.status === 401 || session.status === 403;
    return isDenied ? deniedPage({ challenge: this.#challenge, isLocalOnly: !this.#hasOwnRule }) : failedPage(session);
  }

  /** The principal of an API request: a client with the scopes to read and to act. The actor is the name of its key. */
  async #principal(request: HttpRequest): Promise<Principal | null> {
    const access = await this.#access(request);
    if (access === null) {
      return null;
    }
    requireSameOrigin(request);
    if (access.act !== true && request.method !== "GET" && request.method !== "HEAD") {
      throw new BelfryError("FORBIDDEN", "You may look at this dashboard, but change nothing.");
    }
    const scopes = ["read" as const, ...(access.act === true ? (["write"] as const) : [])];
    return { kind: "client", tenant: access.tenant ?? this.#tenant, scopes, keyId: auditName(access.actor) };
  }

  /** Asks `authorize`; null if the sender may not read. An `authorize` that throws lets nobody in. */
  async #access(request: HttpRequest): Promise<Access | null> {
    let access: Access | null | undefined;
    try {
      // The HTTP handler passes on the very object it got. An `authorize` written in JavaScript may return undefined.
      access = await this.#authorize(request as DashboardRequest);
    } catch (cause) {
      if (cause instanceof BelfryError) {
        throw cause;
      }
      throw new BelfryError("CONFIGURATION", "Who may see this dashboard could not be found out. The server's log says why.", { cause });
    }
    if (access?.read !== true) {
      return null;
    }
    if (!this.#hasOwnRule && !this.#hasWarned) {
      this.#hasWarned = true;
      this.#logger.warn(
        {},
        "The dashboard has no `authorize` and lets in whoever sits at this machine. Behind a proxy that may be anybody: give it an `authorize` there.",
      );
    }
    return access;
  }

  async #stillReads(request: HttpRequest, tenant: string): Promise<boolean> {
    const access = await this.#access(request);
    return access !== null && (access.tenant ?? this.#tenant) === tenant;
  }
}
