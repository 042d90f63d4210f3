import { createHash, timingSafeEqual } from "node:crypto";
import { BelfryError, HTTP_STATUS, requireOptions } from "@belfry/core";
import { type Contract, defineContract, defineRoute, type Failure, type HttpRequest, type Reply } from "@belfry/core/http";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { followEvents } from "./follow-events.ts";
import { COUNTERS, GAUGES, HISTOGRAMS, type Metric, prometheusName, type Sample, SECONDS } from "./metrics.ts";
import { Standing } from "./standing.ts";
import { type Watched, type WatchedOptions, type WatchedService, watchedBy } from "./watched.ts";

export type { WatchedOptions, WatchedService, WatchedTenant } from "./watched.ts";

/** Options of {@link prometheus}. One of `token` and `authorize` has to be given. */
export interface PrometheusOptions extends WatchedOptions {
  /** What Prometheus presents as `Authorization: Bearer …`, at least 16 characters. */
  readonly token?: string;
  /** Says who may read the metrics. */
  readonly authorize?: (request: HttpRequest) => boolean | Promise<boolean>;
  /** @default "/api/belfry/metrics" */
  readonly path?: string;
}

const OPTIONS: Readonly<Record<keyof PrometheusOptions, true>> = {
  ...{ token: true, authorize: true, path: true },
  ...{ tenants: true, refreshMs: true },
};
const PATH = "/api/belfry/metrics";
const TOKEN_LENGTH = 16;

/**
 * The metrics of a service for Prometheus, as a contract to mount beside others. What happens in this process is counted from now on; how
 * things stand is read when Prometheus asks.
 *
 * @throws BelfryError `CONFIGURATION`, also where nothing says who may read them
 * @example
 * ```ts
 * app.use(expressBelfry(notifications, { contracts: [inboxV1(), prometheus(notifications, { token: process.env.METRICS_TOKEN })] }));
 * ```
 */
export function prometheus(service: WatchedService, options: PrometheusOptions): Contract {
  requireOptions("prometheus", options, OPTIONS);
  const mayRead = rightsOf(options);
  const path = options.path ?? PATH;
  if (typeof path !== "string" || !/^\/[\w./-]*[\w-]$/.test(path)) {
    throw wrong('takes as path one such as "/metrics", without a slash at its end');
  }
  const metrics = new PrometheusMetrics(watchedBy("prometheus", service, options));
  return defineContract({
    name: "prometheus",
    title: "Belfry metrics",
    basePath: path,
    credential: "open",
    principal: "client",
    routes: [
      defineRoute("GET", path, {
        operationId: "metrics",
        summary: "The metrics of this process and of what waits, in the text format of Prometheus",
        responses: { 200: { description: "The metrics", contentType: "text/plain" }, 401: { description: "The credential is wrong" } },
        async handle({ request }) {
          if (!(await mayRead(request))) {
            throw new BelfryError("UNAUTHENTICATED", "The metrics need a credential.");
          }
          return { status: 200, headers: { "content-type": metrics.contentType }, jsonText: await metrics.read() };
        },
      }),
    ],
    renderFailure,
  });
}

function rightsOf({ token, authorize }: PrometheusOptions): (request: HttpRequest) => boolean | Promise<boolean> {
  if (authorize !== undefined) {
    if (typeof authorize !== "function" || token !== undefined) {
      throw wrong("takes as authorize a function of the request, and no token beside it");
    }
    // One that is written in JavaScript may return anything.
    return async (request) => (await authorize(request)) === true;
  }
  if (typeof token !== "string" || token.length < TOKEN_LENGTH) {
    throw wrong(`needs a token of at least ${TOKEN_LENGTH} characters, or authorize; without, anybody could read the metrics`);
  }
  const wanted = digestOf(`Bearer ${token}`);
  return ({ headers }) => timingSafeEqual(wanted, digestOf(headers.authorization ?? ""));
}

/** Digests are equally long, as a comparison in constant time needs them. */
function digestOf(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function wrong(message: string): BelfryError {
  return new BelfryError("CONFIGURATION", `prometheus ${message}.`);
}

function renderFailure({ error }: Failure): Reply {
  const headers = error.code === "UNAUTHENTICATED" ? { "www-authenticate": "Bearer" } : undefined;
  return { status: HTTP_STATUS[error.code], json: { error: error.code }, ...(headers && { headers }) };
}

/** The metrics of a service in a registry of their own: those of the host stay apart. */
class PrometheusMetrics {
  readonly #registry = new Registry();
  readonly #standing: Standing;
  readonly #gauges = new Map<string, Gauge>();
  #reading: Promise<string> | null = null;

  constructor(watched: Watched) {
    this.#standing = new Standing(watched);
    const counters = this.#made(COUNTERS, true, (settings) => new Counter(settings));
    const histograms = this.#made(HISTOGRAMS, false, (settings) => new Histogram({ ...settings, buckets: SECONDS }));
    for (const [name, gauge] of this.#made(GAUGES, false, (settings) => new Gauge(settings))) {
      this.#gauges.set(name, gauge);
    }
    followEvents(watched, {
      count: (counter, labels) => counters.get(counter)?.inc(labels),
      took: (histogram, labels, seconds) => histograms.get(histogram)?.observe(labels, seconds),
    });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Writes all metrics as text. Whoever asks meanwhile gets the same text. */
  read(): Promise<string> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #read(): Promise<string> {
    this.#set(await this.#standing.read());
    return this.#registry.metrics();
  }

  /** Channels that nothing waits for any more have no series. */
  #set(samples: readonly Sample[]): void {
    for (const gauge of this.#gauges.values()) {
      gauge.reset();
    }
    for (const { gauge, labels, value } of samples) {
      this.#gauges.get(gauge)?.set(labels, value);
    }
  }

  #made<Made>(
    declared: Readonly<Record<string, Metric>>,
    isCounter: boolean,
    make: (settings: { name: string; help: string; labelNames: readonly string[]; registers: Registry[] }) => Made,
  ): ReadonlyMap<string, Made> {
    const registers = [this.#registry];
    const entries = Object.entries(declared).map(([name, metric]) => {
      const settings = { name: prometheusName(metric, { isCounter }), help: metric.help, labelNames: metric.labels, registers };
      return [name, make(settings)] as const;
    });
    return new Map(entries);
  }
}
