import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Channel, consoleLogger, NotificationService, type Processor } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { context, SpanStatusCode, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { openTelemetryTracing } from "../src/index.ts";

const silent = { ...consoleLogger, warn: () => undefined, error: () => undefined };

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});
afterAll(() => context.disable());

const running: NotificationService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

/** A tracer provider as one process has it, and what it recorded. */
function recording() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  const named = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);
  return { provider, tracing: openTelemetryTracing({ tracerProvider: provider }), named, exporter };
}

/** A channel that makes a span of its own, as an HTTP client that is instrumented does. */
function traced(provider: TracerProvider): Channel {
  return {
    name: "call",
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: () => null,
    async deliver({ recipient }) {
      provider.getTracer("http").startSpan("POST").end();
      return recipient === "nobody"
        ? { status: "failed", transient: false, error: `there is no ${recipient}`, provider: "phone" }
        : { status: "sent", provider: "phone" };
    },
  };
}

function serviceOf(options: Partial<ConstructorParameters<typeof NotificationService>[0]>) {
  const service = new NotificationService({ storage: sqliteStorage(":memory:"), logger: silent, ...options });
  running.push(service);
  return service;
}

const traceOf = (id: string) => id.replaceAll("-", "");
const parentOf = (span: ReadableSpan | undefined) => span?.parentSpanContext?.spanId;

describe("the trace of a notification", () => {
  test("goes from create to the provider in another process, and is linked to the caller's", async () => {
    const [here, there] = [recording(), recording()];
    const directory = await mkdtemp(join(tmpdir(), "belfry-traces-"));
    const storage = () => sqliteStorage(join(directory, "app.db"));
    const creating = serviceOf({
      storage: storage(),
      channels: [traced(here.provider)],
      delivery: { worker: false },
      tracing: here.tracing,
    });
    const delivering = serviceOf({ storage: storage(), channels: [traced(there.provider)], tracing: there.tracing });

    const request = here.provider.getTracer("host").startSpan("POST /orders");
    const { notification } = await context.with(trace.setSpan(context.active(), request), () =>
      creating.create({ to: { call: "ann" }, title: "Hello" }),
    );
    await delivering.runDue();

    const [create] = here.named("belfry create");
    const [first] = here.named("belfry notification");
    const [deliver] = there.named("belfry deliver call");
    const [post] = there.named("POST");
    expect(parentOf(create)).toBe(request.spanContext().spanId);
    expect(create?.links.map((link) => link.context.traceId)).toEqual([traceOf(notification.id)]);
    expect(first?.links.map((link) => link.context.spanId)).toEqual([create?.spanContext().spanId]);
    expect(first?.spanContext().traceId).toBe(traceOf(notification.id));
    expect(deliver?.spanContext().traceId).toBe(traceOf(notification.id));
    expect(deliver?.attributes).toMatchObject({
      "belfry.tenant": "default",
      "belfry.notification.id": notification.id,
      "belfry.channel": "call",
      "belfry.attempt": 1,
      "belfry.outcome": "sent",
      "belfry.provider": "phone",
    });
    expect(parentOf(post)).toBe(deliver?.spanContext().spanId);
    await Promise.all([creating.stop(), delivering.stop()]);
    await rm(directory, { recursive: true });
  });

  test("shows failures without what the provider said", async () => {
    const { provider, tracing, named, exporter } = recording();
    const service = serviceOf({ channels: [traced(provider)], tracing });
    await service.create({ to: { call: "nobody" }, title: "Hello" });
    await service.runDue();
    expect(named("belfry deliver call")[0]?.status.code).toBe(SpanStatusCode.ERROR);
    await expect(service.create({ to: "ann", title: 7 } as never)).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    expect(named("belfry create").at(-1)?.attributes["error.type"]).toBe("VALIDATION_ERROR");
    const told = JSON.stringify(exporter.getFinishedSpans().map(({ attributes, events, status }) => [attributes, events, status]));
    expect(told).not.toContain("nobody");
  });

  test("goes to sockets, and to handlers of the hub", async () => {
    const { tracing, named } = recording();
    const processor: Processor = {
      name: "echo",
      timeoutMs: 1_000,
      concurrency: 1,
      process: async () => ({ status: "completed", text: "done" }),
    };
    const service = serviceOf({ tracing, hub: { processor } });
    const seen = vi.fn();
    const subscription = service.inbox("ann").subscribe({ onEvent: seen, onState: () => undefined });
    await subscription.ready;
    const { notification } = await service.create({ to: "ann", title: "Hello" });
    await expect.poll(() => seen.mock.calls.length).toBe(1);
    subscription.close();
    expect(named("belfry push").map((span) => span.spanContext().traceId)).toEqual([traceOf(notification.id)]);

    await service.hub.handlers.create({ source: "mail", prompt: "Sort it." });
    const event = await service.hub.events.create({ source: "mail", sender: "bob", content: "Hello" });
    await service.runDue();
    expect(named("belfry process").map((span) => span.spanContext().traceId)).toEqual([traceOf(event.id)]);
  });

  test("is recorded whole or not at all, by its id", async () => {
    const { provider, exporter } = recording();
    const service = serviceOf({ channels: [traced(provider)], tracing: openTelemetryTracing({ tracerProvider: provider, ratio: 0 }) });
    await service.create({ to: { call: "ann" }, title: "Hello" });
    await service.runDue();
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(["belfry create"]);
  });
});
