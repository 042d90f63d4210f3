import { systemClock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { consoleLogger, type Logger } from "../foundation/logger.ts";
import { andThen, attempt, type MaybePromise } from "../foundation/maybe-promise.ts";
import { authenticator } from "./auth/authenticator.ts";
import { CredentialWatch, type Watched } from "./auth/credential-watch.ts";
import { Gate, NOTHING_PRESENTED, type Presented } from "./auth/gate.ts";
import { requireRights } from "./auth/rights.ts";
import type { Contract, Failure, RequestPart } from "./contract.ts";
import { checkHandlerOptions, checkHandlerParts, type HandlerOptions, type HandlerSettings } from "./handler-options.ts";
import { HealthChecks } from "./health-checks.ts";
import type { HttpRequest, HttpResponse, Peer, ResponseStream } from "./messages.ts";
import { type Chosen, decodeParams, MountedContracts, type RouteMatch, routedMethod } from "./mounted-contracts.ts";
import { isForeignPage } from "./origins.ts";
import { splitUrl } from "./parameters.ts";
import type { Principal } from "./principal.ts";
import { Queries, queryOf } from "./queries.ts";
import { RateLimits } from "./rate-limits.ts";
import { readBody, validate } from "./read-json.ts";
import type { ContractService, Reply, Route, RouteContext, StreamStart } from "./route.ts";
import { SSE_PING } from "./sse.ts";
import { Stream } from "./stream.ts";
import { type CountedStream, StreamCounts } from "./stream-counts.ts";
import { StreamRegistry } from "./stream-registry.ts";
import { toResponse } from "./to-response.ts";
import { UnsubscribePage } from "./unsubscribe-page.ts";

/** A request that is being answered, as far as it is known what it asks for and who asks. */
interface Asked {
  readonly request: HttpRequest;
  /** Renders a failure: the chosen contract, or the first that has the path. */
  contract: Contract;
  presented: Presented;
}

/** A request that its route answers. */
interface Routed extends Pick<RouteContext, "request"> {
  readonly route: Route;
  readonly match: RouteMatch;
  readonly presented: Presented;
}

/** The parts that requests and sockets of one handler share. */
export class HandlerCore {
  readonly service: ContractService;
  readonly settings: HandlerSettings;
  readonly mounted: MountedContracts;
  /** Finds the principal of a request. */
  readonly gate: Gate;
  readonly credentials: CredentialWatch;
  readonly streams: StreamRegistry;
  readonly logger: Logger;
  readonly limits: RateLimits;
  readonly counts: StreamCounts;
  /** The streams that count among those of their address; others are downloads. */
  readonly #counted = new WeakSet<ResponseStream>();
  readonly #queries = new Queries();
  readonly #unsubscribePage: UnsubscribePage;
  readonly #healthChecks: HealthChecks;
  readonly #hasSockets: boolean;
  /** Logs an error that is reported nowhere else. */
  readonly report = (error: unknown, message: string): void => this.logger.error({ error }, message);

  constructor(service: ContractService, options: HandlerOptions) {
    checkHandlerParts(service, options);
    this.service = service;
    const settings = { ...options, logger: options.logger ?? consoleLogger, clock: options.clock ?? systemClock };
    this.settings = settings;
    this.logger = settings.logger;
    checkHandlerOptions(settings);
    this.#hasSockets = settings.sockets ?? true;
    this.mounted = new MountedContracts(settings.contracts, this.#hasSockets);
    this.streams = new StreamRegistry(settings);
    this.credentials = new CredentialWatch(settings);
    this.counts = new StreamCounts(settings);
    this.limits = new RateLimits(settings);
    this.#unsubscribePage = new UnsubscribePage(this);
    this.#healthChecks = new HealthChecks(service, settings.health ?? false);
    this.gate = new Gate(settings, authenticator(settings.auth, service.defaultTenant.tenantId), this.limits);
  }

  contract(name: string): Contract {
    const contract = this.settings.contracts.find((one) => one.name === name);
    if (contract === undefined) {
      const names = this.settings.contracts.map((one) => one.name).join(", ");
      throw new BelfryError("CONFIGURATION", `The contract "${name}" is not mounted; mounted are: ${names}.`);
    }
    return this.#hasSockets ? contract : { ...contract, sockets: [] };
  }

  /** Answers a request: at once, if nothing that it asks for has to be waited for. */
  handle(request: HttpRequest): MaybePromise<HttpResponse | null> {
    const { path } = splitUrl(request.url);
    const page = this.#unsubscribePage.handle(request, path) ?? this.#healthChecks.handle(request, path);
    if (page !== null) {
      return page;
    }
    const candidates = this.mounted.having(path);
    const [first] = candidates;
    // The host answers OPTIONS, because Belfry does not know its CORS rules.
    if (first === undefined || request.method === "OPTIONS") {
      return null;
    }
    const asked: Asked = { request, contract: first.contract, presented: NOTHING_PRESENTED };
    return attempt<HttpResponse>(
      () => andThen(this.#chosen(asked, candidates), (chosen) => this.#answer(asked, chosen)),
      (error) => toResponse(asked.contract.renderFailure(this.#failure(error, asked)), request.method),
    );
  }

  /** Identifies the caller, unless everybody is answered, and chooses the contract. */
  #chosen(asked: Asked, candidates: readonly RouteMatch[]): MaybePromise<Chosen> {
    const { request } = asked;
    const open = candidates.find(({ isOpen }) => isOpen);
    if (open !== undefined) {
      return { contract: open.contract, match: open, authenticated: true };
    }
    return andThen(this.presented(request, candidates), (presented) => {
      asked.presented = presented;
      return this.mounted.choose(candidates, { presented, method: request.method });
    });
  }

  /** Identifies the caller by the headers, or by the query of a route that takes the credential there. */
  presented(request: HttpRequest, candidates: readonly RouteMatch[]): MaybePromise<Presented> {
    const admitted = this.gate.admit(request);
    const mayBeInQuery = candidates.some(({ byMethod }) => byMethod.get(request.method)?.credentialParameter !== undefined);
    return mayBeInQuery ? andThen(admitted, (presented) => this.#presentedInQuery(request, candidates, presented)) : admitted;
  }

  /** The credential in the query, if there is none in the headers. */
  #presentedInQuery(request: HttpRequest, candidates: readonly RouteMatch[], presented: Presented): MaybePromise<Presented> {
    if (presented.scheme !== null) {
      return presented;
    }
    for (const { contract, byMethod } of candidates) {
      const parameter = byMethod.get(request.method)?.credentialParameter;
      const credential = parameter === undefined ? undefined : queryOf(request.url)[parameter];
      if (credential !== undefined && contract.credential !== "open") {
        return this.gate.check(contract.credential, credential, request);
      }
    }
    return presented;
  }

  #answer(asked: Asked, { contract, match, authenticated }: Chosen): MaybePromise<HttpResponse> {
    const { request, presented } = asked;
    asked.contract = contract;
    if (!authenticated) {
      throw presented.limited ?? new BelfryError("UNAUTHENTICATED", "The request has no valid credential.");
    }
    if (contract.credential === "open" && isForeignPage(request, this.settings.allowedOrigins)) {
      const message = "A page of another site may not ask here. Name its origin in allowedOrigins, or have callers present a credential.";
      throw new BelfryError("FORBIDDEN", message);
    }
    if (match === null) {
      throw new BelfryError("NOT_FOUND", "There is nothing at this path.");
    }
    const route = match.byMethod.get(routedMethod(request.method));
    if (route === undefined) {
      const allowed = [...match.byMethod.keys()].join(", ");
      const failure = this.#failure(new BelfryError("METHOD_NOT_ALLOWED", `Method "${request.method}" not allowed.`), asked);
      const reply = contract.renderFailure(failure);
      return toResponse({ ...reply, headers: { ...reply.headers, allow: allowed } }, request.method);
    }
    const { principal } = presented;
    requireRights(principal, route);
    const routed = { request, route, match, presented };
    const reply = route.isRateLimited
      ? this.limits.create(principal?.tenant ?? this.service.defaultTenant.tenantId).then(() => this.#reply(routed))
      : this.#reply(routed);
    return andThen(reply, (made) =>
      made.stream !== undefined && this.#counted.has(made.stream) ? this.#streamed(made, request) : toResponse(made, request.method),
    );
  }

  /** Answers with a stream that counts among those of its address. */
  #streamed(reply: Reply, request: HttpRequest): MaybePromise<HttpResponse> {
    return andThen(this.counts.checkAll(request), () => {
      // Others may have been opened meanwhile.
      this.counts.check(request);
      return toResponse(reply, request.method);
    });
  }

  #reply(routed: Routed): MaybePromise<Reply> {
    const { request, route } = routed;
    const context = this.#context(routed);
    return route.body === undefined
      ? route.handle(context)
      : readBody(route.body, request, { ...route, maxBytes: this.settings.maxBodyBytes }).then((body) =>
          route.handle({ ...context, body: body as never }),
        );
  }

  #context({ request, route, match, presented }: Routed): RouteContext<never, never, never> {
    const { defaultTenant } = this.service;
    const isOfDefault = presented.principal === null || match.contract.credential === "open";
    const tenant = isOfDefault ? defaultTenant : this.service.tenant(presented.principal.tenant);
    return {
      service: this.service,
      tenant,
      principal: presented.principal ?? { kind: "client", tenant: tenant.tenantId },
      request,
      hasSockets: this.#hasSockets,
      params: (route.params && validate(route.params, decodeParams(match.params), "path")) as never,
      query: this.#queries.of(route, request.url) as never,
      body: undefined as never,
      report: this.report,
      stream: (start, ping = SSE_PING) => this.#stream(start, request, { match, presented, ping }),
    };
  }

  /** Makes a streamed response, and watches it for silence, a slow reader and the end of its credential. */
  #stream(start: StreamStart, request: HttpRequest, { match, presented, ping }: Omit<Opening, "counted" | "request">): ResponseStream {
    this.counts.check(request);
    const response: ResponseStream = {
      open: (peer) => {
        const counted = this.counts.add(request);
        const stream = this.streams.watch(new OpenResponse(this, peer, { counted, presented, match, request, ping }));
        if (presented.principal !== null) {
          this.credentials.add(stream, presented);
        }
        return endOf(stream, start(stream));
      },
    };
    this.#counted.add(response);
    return response;
  }

  /** Logs an error that a caller cannot mend, and is not told of. */
  reportFault(error: BelfryError, message: string, more: object = {}): void {
    if (error.code === "STORAGE_FAILED" || error.code === "CONFIGURATION") {
      this.logger.error({ error, ...more }, message);
    }
  }

  #failure(error: unknown, { request, presented }: Asked): Failure {
    const credentialPresented = presented.scheme !== null;
    if (!(error instanceof BelfryError)) {
      this.logger.error({ error, method: request.method }, "Belfry met an unexpected error while answering a request.");
      const internal = new BelfryError("STORAGE_FAILED", "Internal server error", { cause: error });
      return { error: internal, request, credentialPresented };
    }
    this.reportFault(error, "Belfry could not answer a request.", { method: request.method });
    return { error, part: error.details.part as RequestPart | undefined, request, credentialPresented };
  }
}

/** An open response, and what later checks of its credential need. */
class OpenResponse extends Stream implements Watched {
  readonly principal: Principal | null;
  readonly #core: HandlerCore;
  readonly #match: RouteMatch;
  readonly #request: HttpRequest;
  readonly #counted: Pick<CountedStream, "takeOff">;

  constructor(core: HandlerCore, peer: Peer, { counted, presented, match, request, ping }: Opening) {
    super(peer, core.streams.optionsOf(ping, "response"));
    this.principal = presented.principal;
    this.#core = core;
    this.#match = match;
    this.#request = core.gate.lasting(request, { url: request.url, hasCredential: presented.isFinal !== true });
    this.#counted = counted;
  }

  get stream(): this {
    return this;
  }

  async ask(): Promise<Presented> {
    return this.#core.presented(this.#request, [this.#match]);
  }

  ended(): void {
    this.#counted.takeOff();
    this.#core.credentials.remove(this);
    this.gone();
  }
}

interface Opening {
  readonly presented: Presented;
  readonly match: RouteMatch;
  readonly request: HttpRequest;
  /** What it sends after a silence. */
  readonly ping: string;
  readonly counted: Pick<CountedStream, "takeOff">;
}

/** Makes the function that ends a response. It stands alone, so that it keeps nothing of the request. */
function endOf(response: OpenResponse, stop: () => void): () => void {
  return () => {
    response.ended();
    stop();
  };
}
