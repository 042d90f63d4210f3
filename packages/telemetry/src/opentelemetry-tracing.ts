import { BelfryError, isUuid, requireOptions, type TracedEnd, type TracedFacts, type TracedWork, type Tracing } from "@belfry/core";
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";

/** Options of {@link openTelemetryTracing}. */
export interface TracingOptions {
  /** Makes the spans. @default the one that is registered with `@opentelemetry/api` */
  readonly tracerProvider?: Pick<TracerProvider, "getTracer">;
  /**
   * Of how many notifications, from 0 to 1, the traces are recorded. It goes by the notification's id, so give every process the same: each trace
   * is then recorded whole, or not at all. Spans of `create` follow your own sampler. @default 1
   */
  readonly ratio?: number;
}

const OPTIONS: Readonly<Record<keyof TracingOptions, true>> = { tracerProvider: true, ratio: true };

const KINDS: Readonly<Record<TracedWork["name"], SpanKind>> = {
  create: SpanKind.PRODUCER,
  deliver: SpanKind.CONSUMER,
  process: SpanKind.CONSUMER,
  push: SpanKind.PRODUCER,
};

/**
 * Makes the option `tracing` of a service of OpenTelemetry. A notification's trace has the notification's id, without its hyphens, so every process
 * adds its spans to it: attempts, handlers of the hub, and new items that go to sockets. Your own trace gets the span of `create`, with a link to the
 * notification's; that one begins with a link back.
 *
 * @throws BelfryError `CONFIGURATION`
 * @example
 * ```ts
 * const notifications = new NotificationService({ storage, channels, tracing: openTelemetryTracing() });
 * ```
 */
export function openTelemetryTracing(options: TracingOptions = {}): Tracing {
  requireOptions("openTelemetryTracing", options, OPTIONS);
  const { tracerProvider = trace, ratio = 1 } = options;
  if (typeof tracerProvider?.getTracer !== "function") {
    throw new BelfryError("CONFIGURATION", "openTelemetryTracing takes as tracerProvider an object with getTracer().");
  }
  if (typeof ratio !== "number" || !(ratio >= 0 && ratio <= 1)) {
    throw new BelfryError("CONFIGURATION", "openTelemetryTracing takes as ratio a number from 0 to 1.");
  }
  const tracer = tracerProvider.getTracer("@belfry/telemetry");
  return {
    async run(work, does, endOf) {
      const traced = new TracedSpan(tracer, work, ratio);
      try {
        const result = await context.with(traced.context, does);
        traced.end(endOf(result));
        return result;
      } catch (error) {
        traced.fail(error);
        throw error;
      }
    },
    runNow(work, does) {
      const traced = new TracedSpan(tracer, work, ratio);
      try {
        context.with(traced.context, does);
        traced.end({});
      } catch (error) {
        traced.fail(error);
        throw error;
      }
    },
  };
}

/** The span of a piece of work. */
class TracedSpan {
  readonly context: Context;
  readonly #tracer: Tracer;
  readonly #work: TracedWork;
  readonly #ratio: number;
  readonly #span: Span;

  constructor(tracer: Tracer, work: TracedWork, ratio: number) {
    const { name, tenant, notificationId, facts } = work;
    // What creates is part of what the host does; all else is part of what becomes of the notification, whoever woke the worker.
    const parent = notificationId === null ? context.active() : contextOf(notificationId, ratio);
    const { channel } = facts;
    const attributes = { "belfry.tenant": tenant, ...identified(notificationId), ...attributesOf(facts) };
    this.#span = tracer.startSpan(`belfry ${name}${channel === undefined ? "" : ` ${channel}`}`, { kind: KINDS[name], attributes }, parent);
    this.context = trace.setSpan(parent, this.#span);
    this.#tracer = tracer;
    this.#work = work;
    this.#ratio = ratio;
  }

  end({ notificationId, hasFailed = false, facts = {} }: TracedEnd): void {
    this.#span.setAttributes(attributesOf(facts));
    if (hasFailed) {
      this.#span.setStatus({ code: SpanStatusCode.ERROR });
    }
    if (notificationId !== undefined) {
      this.#begin(notificationId, facts);
    }
    this.#span.end();
  }

  /** What an error says stays out of traces: it may name addresses. */
  fail(error: unknown): void {
    const type = error instanceof BelfryError ? error.code : error instanceof Error ? error.name : typeof error;
    this.#span.setAttribute("error.type", type);
    this.#span.setStatus({ code: SpanStatusCode.ERROR });
    this.#span.end();
  }

  /** Begins the trace of a notification that was created, and links the two. */
  #begin(notificationId: string, facts: TracedFacts): void {
    const { tenant } = this.#work;
    const attributes = { "belfry.tenant": tenant, ...identified(notificationId), ...attributesOf(facts) };
    const links = [{ context: this.#span.spanContext() }];
    const first = this.#tracer.startSpan("belfry notification", { attributes, links }, contextOf(notificationId, this.#ratio));
    this.#span.setAttributes(identified(notificationId));
    this.#span.addLink({ context: first.spanContext() });
    first.end();
  }
}

/** The context that the spans of a notification have as their parent, in every process. */
function contextOf(notificationId: string, ratio: number): Context {
  return isUuid(notificationId) ? trace.setSpanContext(ROOT_CONTEXT, originOf(notificationId, ratio)) : ROOT_CONTEXT;
}

function originOf(notificationId: string, ratio: number): SpanContext {
  const traceId = notificationId.replaceAll("-", "").toLowerCase();
  return {
    traceId,
    spanId: traceId.slice(16),
    traceFlags: isRecorded(traceId, ratio) ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}

/** The last digits of an id are random. */
const RANDOM_DIGITS = 8;

function isRecorded(traceId: string, ratio: number): boolean {
  return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) < ratio * 16 ** RANDOM_DIGITS;
}

function identified(notificationId: string | null): Attributes {
  return notificationId === null ? {} : { "belfry.notification.id": notificationId };
}

function attributesOf(facts: TracedFacts): Attributes {
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [`belfry.${name}`, value]));
}
