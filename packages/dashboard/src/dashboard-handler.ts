import { BelfryError, consoleLogger, type Logger, requireOptions } from "@belfry/core";
import { createHandler, type HttpHandler, type HttpRequest, type HttpResponse, type Principal } from "@belfry/core/http";
import { type Access, type Authorize, type DashboardRequest, localOnly } from "./access.ts";
import type { ApiContext } from "./api/context.ts";
import { apiContract } from "./api/contract.ts";
import { assetResponse } from "./assets.ts";
import type { DashboardOptions, DashboardService } from "./dashboard-options.ts";
import { ActivityFeeds } from "./live/activity-feeds.ts";
import { deniedPage, failedPage, page } from "./page.ts";
import { type Reader, Redaction } from "./redaction.ts";
import { checkedAccess, type Rights, rightsIn } from "./rights.ts";
import { requireSameOrigin } from "./same-origin.ts";

const OPTIONS: Readonly<Record<keyof DashboardOptions, true>> = {
  authorize: true,
  challenge: true,
  tenant: true,
  basePath: true,
  redact: true,
  logger: true,
};

const FUNCTIONS = [
  ["authorize", "the request"],
  ["redact", "what would be shown"],
] as const;

/** Checks the values of options, as a host without TypeScript may have them. */
function checkTexts(options: DashboardOptions): void {
  for (const name of ["challenge", "basePath"] as const) {
    if (options[name] !== undefined && typeof options[name] !== "string") {
      throw new BelfryError("CONFIGURATION", `dashboard's ${name} must be a text, is ${typeof options[name]}.`);
    }
  }
  for (const [name, of] of FUNCTIONS) {
    if (options[name] !== undefined && typeof options[name] !== "function") {
      throw new BelfryError("CONFIGURATION", `dashboard's ${name} must be a function of ${of}, is ${typeof options[name]}.`);
    }
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
    const context: ApiContext = {
      service: notifications,
      feeds: new ActivityFeeds(notifications, this.#logger),
      redaction: options.redact === undefined ? null : new Redaction(options.redact),
      tenantsOf: async (request) => (await this.#rights(request))?.tenants ?? [],
      stillReads: (request, reader) => this.#stillReads(request, reader),
      challenge: this.#challenge,
    };
    this.#api = createHandler(notifications, {
      contracts: [apiContract(context)],
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
    const query = request.url.split("?", 2)[1] ?? "";
    const session = await this.#api.handle({ ...request, method: "GET", url: `/api/session?${query}` });
    if (session?.status === 200) {
      return page();
    }
    const isDenied = session === null || session.status === 401 || session.status === 403;
    return isDenied ? deniedPage({ challenge: this.#challenge, isLocalOnly: !this.#hasOwnRule }) : failedPage(session);
  }

  /** The principal of an API request: a client with the scopes to read and to act, and the actions. The actor is the name of its key. */
  async #principal(request: HttpRequest): Promise<Principal | null> {
    const rights = await this.#rights(request);
    if (rights === null) {
      return null;
    }
    requireSameOrigin(request);
    const { actor, tenant, actions } = rights;
    const mayAct = actions.length > 0;
    if (!mayAct && request.method !== "GET" && request.method !== "HEAD") {
      throw new BelfryError("FORBIDDEN", "You may look at this dashboard, but change nothing.");
    }
    const scopes = mayAct ? (["read", "write"] as const) : (["read"] as const);
    return { kind: "client", tenant, scopes, actions, keyId: actor };
  }

  /** The rights of a request's sender in the tenant that it is about; null if they may not read. */
  async #rights(request: HttpRequest): Promise<Rights | null> {
    const access = await this.#access(request);
    if (access?.read !== true) {
      return null;
    }
    const asked = new URLSearchParams(request.url.split("?", 2)[1]).get("tenant");
    const rights = rightsIn(access, { asked, usual: this.#tenant });
    if (!this.#hasOwnRule && !this.#hasWarned) {
      this.#hasWarned = true;
      this.#logger.warn(
        {},
        "The dashboard has no `authorize` and lets in whoever sits at this machine. Behind a proxy that may be anybody: give it an `authorize` there.",
      );
    }
    return rights;
  }

  /** Asks `authorize`. One that throws, or answers what it may not, lets nobody in. */
  async #access(request: HttpRequest): Promise<Access | null> {
    let answer: unknown;
    try {
      // The HTTP handler passes on the very object it got. An `authorize` written in JavaScript may return anything.
      answer = await this.#authorize(request as DashboardRequest);
    } catch (cause) {
      throw cause instanceof BelfryError ? cause : unknownRights(cause);
    }
    try {
      return checkedAccess(answer, this.#tenant);
    } catch (cause) {
      const why = cause instanceof BelfryError ? cause.message : "The answer of the dashboard's authorize cannot be read.";
      this.#logger.error({ error: cause }, `${why} Nobody gets in by it.`);
      throw unknownRights(cause);
    }
  }

  async #stillReads(request: HttpRequest, { actor, tenant, actions }: Reader): Promise<boolean> {
    const rights = await this.#rights(request);
    const isSame = rights?.tenant === tenant && rights.actor === actor && rights.actions.length === actions.length;
    return isSame && actions.every((action) => rights.actions.includes(action));
  }
}

function unknownRights(cause: unknown): BelfryError {
  return new BelfryError("CONFIGURATION", "Who may see this dashboard could not be found out. The server's log says why.", { cause });
}
