import { systemClock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { consoleLogger, type Logger } from "../foundation/logger.ts";
import { RepeatedLines } from "../foundation/repeated-lines.ts";
import { authenticator } from "./auth/authenticator.ts";
import { CredentialWatch } from "./auth/credential-watch.ts";
import { Gate, type Presented } from "./auth/gate.ts";
import { checkHandlerOptions, checkHandlerParts } from "./check-handler-options.ts";
import { type Contract, type Failure, RequestFailure } from "./contract.ts";
import type { HandlerOptions } from "./handler-options.ts";
import type { HttpRequest, HttpResponse } from "./messages.ts";
import { type Candidates, type Chosen, decodeParams, MountedContracts, type RouteMatch } from "./mounted-contracts.ts";
import { isForeignPage } from "./origins.ts";
import { splitUrl } from "./parameters.ts";
import type { Principal } from "./principal.ts";
import { RateLimits } from "./rate-limits.ts";
import { readJson, validate } from "./read-json.ts";
import type { ContractService, ContractTenant, Reply, Route, RouteContext } from "./route.ts";
import { watchedResponse } from "./sse.ts";
import { StreamCounts, StreamRegistry } from "./stream-registry.ts";

const MAX_BODY_BYTES = 1024 * 1024;

/** The parts that requests and sockets of one handler share. */
export class HandlerCore {
  readonly service: ContractService;
  readonly options: HandlerOptions;
  readonly mounted: MountedContracts;
  /** Finds the principal of a request. */
  readonly gate: Gate;
  readonly credentials: CredentialWatch;
  readonly streams: StreamRegistry;
  readonly logger: Logger;
  readonly limits: RateLimits;
  readonly counts: StreamCounts;

  constructor(service: ContractService, options: HandlerOptions) {
    checkHandlerParts(service, options);
    this.service = service;
    this.options = options;
    this.logger = options.logger ?? consoleLogger;
    checkHandlerOptions(options, this.logger);
    this.mounted = new MountedContracts(options.contracts);
    const clock = options.clock ?? systemClock;
    this.streams = new StreamRegistry({ clock, logger: this.logger });
    this.credentials = new CredentialWatch({ clock, logger: this.logger });
    this.counts = new StreamCounts(options, new RepeatedLines(this.logger, clock));
    this.limits = new RateLimits({
      creates: options.rateLimiter,
      badCredentials: options.badCredentialLimiter,
      clock,
      logger: this.logger,
    });
    const identities = authenticator(options.auth, service.defaultTenant.tenantId);
    this.gate = new Gate({ authenticator: identities, limits: this.limits, options, logger: this.logger });
  }

  contract(name: string): Contract {
    const contract = this.options.contracts.find((one) => one.name === name);
    if (contract === undefined) {
      const names = this.options.contracts.map((one) => one.name).join(", ");
      throw new BelfryError("CONFIGURATION", `The contract "${name}" is not mounted; mounted are: ${names}.`);
    }
    return contract;
  }

  async handle(request: HttpRequest): Promise<HttpResponse | null> {
    const { path } = splitUrl(request.url);
    const candidates = this.mounted.having(path);
    // The host answers OPTIONS, because Belfry does not know its CORS rules.
    if (candidates.length === 0 || request.method === "OPTIONS") {
      return null;
    }
    let contract = candidates[0]?.contract as Contract;
    let presented: Presented = { scheme: null, principal: null };
    try {
      const open = this.mounted.openAt(candidates);
      if (open === null) {
        presented = await this.#presented(request, candidates);
      }
      const chosen = open ?? this.mounted.choose(candidates, { presented, method: request.method });
      contract = chosen.contract;
      return toResponse(await this.#answer(request, chosen, presented), request.method);
    } catch (error) {
      return toResponse(contract.renderFailure(this.#failure(error, request, presented)), request.method);
    }
  }

  async #presented(request: HttpRequest, candidates: Candidates): Promise<Presented> {
    const presented = await this.gate.admit(request);
    if (presented.scheme !== null) {
      return presented;
    }
    for (const { contract, match } of candidates) {
      const parameter = match.byMethod.get(request.method)?.credentialParameter;
      const credential = parameter === undefined ? undefined : queryOf(request.url)[parameter];
      if (credential !== undefined && contract.credential !== "open") {
        return this.gate.check(contract.credential, credential, request);
      }
    }
    return presented;
  }

  async #answer(request: HttpRequest, { contract, match, authenticated }: Chosen, presented: Presented): Promise<Reply> {
    if (!authenticated) {
      throw presented.limited ?? new BelfryError("UNAUTHENTICATED", "The request has no valid credential.");
    }
    if (contract.credential === "open" && isForeignPage(request, this.options.allowedOrigins)) {
      const message = "A page of another site may not ask here. Name its origin in allowedOrigins, or have callers present a credential.";
      throw new BelfryError("FORBIDDEN", message);
    }
    if (match === null) {
      throw new BelfryError("NOT_FOUND", "There is nothing at this path.");
    }
    const route = match.byMethod.get(request.method === "HEAD" ? "GET" : request.method);
    if (route === undefined) {
      const allowed = [...match.byMethod.keys()].join(", ");
      const failure = this.#failure(new BelfryError("METHOD_NOT_ALLOWED", `Method "${request.method}" not allowed.`), request, presented);
      const reply = contract.renderFailure(failure);
      return { ...reply, headers: { ...reply.headers, allow: allowed } };
    }
    const { principal } = presented;
    requireScope(principal, route);
    if (route.isRateLimited) {
      await this.limits.create(principal?.tenant ?? this.service.defaultTenant.tenantId);
    }
    return route.handle(await this.#context(request, { contract, route, match, presented }));
  }

  async #context(
    request: HttpRequest,
    { contract, route, match, presented }: { contract: Contract; route: Route; match: RouteMatch; presented: Presented },
  ): Promise<RouteContext<never, never, never>> {
    const tenant = this.#tenant(contract, presented);
    const principal = presented.principal ?? { kind: "client" as const, tenant: tenant.tenantId };
    return {
      service: this.service,
      tenant,
      principal,
      request,
      params: validate(route.params, decodeParams(match.params), "path") as never,
      query: validate(route.query, queryOf(request.url), "query") as never,
      body: (await this.#body(route, request)) as never,
      report: (error, message) => this.logger.error({ error }, message),
      stream: (start) =>
        watchedResponse(this, {
          request,
          principal: presented.principal,
          start,
          ask: () => this.#presented(request, [{ contract, match }]),
        }),
    };
  }

  #tenant(contract: Contract, { principal }: Presented): ContractTenant {
    return principal === null || contract.credential === "open" ? this.service.defaultTenant : this.service.tenant(principal.tenant);
  }

  async #body(route: Route, request: HttpRequest): Promise<unknown> {
    if (route.body === undefined) {
      return undefined;
    }
    const value = await readJson(request, this.options.maxBodyBytes ?? MAX_BODY_BYTES);
    return validate(route.body, value === undefined && route.bodyOptional ? {} : value, "body");
  }

  #failure(error: unknown, request: HttpRequest, presented: Presented): Failure {
    const credentialPresented = presented.scheme !== null;
    if (error instanceof RequestFailure) {
      return { error: error.error, part: error.part, request, credentialPresented };
    }
    if (error instanceof BelfryError) {
      if (error.code === "STORAGE_FAILED" || error.code === "CONFIGURATION") {
        this.logger.error({ error, method: request.method }, "Belfry could not answer a request.");
      }
      return { error, request, credentialPresented };
    }
    this.logger.error({ error, method: request.method }, "Belfry met an unexpected error while answering a request.");
    const internal = new BelfryError("STORAGE_FAILED", "Internal server error", { cause: error });
    return { error: internal, request, credentialPresented };
  }
}

/** Refuses a write with a key that may only read, and a read with a key that may only write. */
function requireScope(principal: Principal | null, { method }: Route): void {
  const needed = method === "GET" ? "read" : "write";
  if (principal?.kind === "client" && principal.scopes !== undefined && !principal.scopes.includes(needed)) {
    throw new BelfryError("FORBIDDEN", `The API key may not ${needed}.`);
  }
}

/** Parses the query. The last value of a repeated parameter wins, as in the frameworks that the contracts' documents name. */
function queryOf(url: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(splitUrl(url).search));
}

function toResponse(reply: Reply, method: string): HttpResponse {
  if (reply.stream) {
    return { status: reply.status, headers: reply.headers ?? {}, body: method === "HEAD" ? null : reply.stream };
  }
  const shared = { "cache-control": "no-store", "x-content-type-options": "nosniff", ...reply.headers };
  if (reply.json === undefined) {
    return { status: reply.status, headers: shared, body: null };
  }
  const body = method === "HEAD" ? null : JSON.stringify(reply.json);
  return { status: reply.status, headers: { "content-type": "application/json", ...shared }, body };
}
