import type { AddressInfo } from "node:net";
import { expressBelfry } from "@belfry/adapter-express";
import { honoBelfry } from "@belfry/adapter-hono";
import { consoleLogger, NotificationService } from "@belfry/core";
import type { ReplicaStorage } from "@belfry/core/storage";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { recorder } from "@belfry/testkit/host";
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import express from "express";
import { Hono } from "hono";
import { afterEach, describe, expect, test } from "vitest";
import { BoundedSeries, MOST_SERIES } from "../src/bounded-series.ts";
import { openTelemetryMetrics } from "../src/index.ts";
import { prometheus } from "../src/prometheus.ts";

const TOKEN = "a token that nobody guesses";
const silent = { ...consoleLogger, warn: () => undefined, error: () => undefined };

const running: NotificationService[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((service) => service.stop()));
});

function serviceOf() {
  const mail = recorder({
    name: "email",
    answer: ({ recipient, attempt }) => {
      if (recipient === "bob@example.com") {
        return { status: "failed", transient: false, error: "550" };
      }
      return recipient === "cat@example.com" && attempt === 1 ? { status: "failed", transient: true, error: "busy" } : { status: "sent" };
    },
    retryDelaysMs: [3_600_000],
  });
  const service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [mail], logger: silent });
  running.push(service);
  return service;
}

/** Sends four mails: one goes out, one fails for good, one is tried again, and one is for tomorrow. */
async function work(service: NotificationService) {
  for (const to of ["ann@example.com", "bob@example.com", "cat@example.com"]) {
    await service.create({ to: { email: to }, title: "Hello" });
  }
  await service.create({ to: { email: "ann@example.com" }, title: "Tomorrow", scheduledAt: new Date(Date.now() + 86_400_000) });
  await service.create({ to: "ann", title: "Hello" });
  await service.tenant("acme").create({ to: "ann", title: "Hello" });
  await service.runDue();
}

describe("metrics of OpenTelemetry", () => {
  test("count what happens, and say what waits", async () => {
    const service = serviceOf();
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const meterProvider = new MeterProvider({ readers: [reader] });
    const end = openTelemetryMetrics(service, { meterProvider });
    await work(service);
    await meterProvider.forceFlush();
    const metrics = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    const points = (name: string) =>
      Object.fromEntries(
        metrics
          .filter(({ descriptor }) => descriptor.name === name)
          .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => [Object.values(attributes).join(" "), value])),
      );
    expect(points("belfry.notifications.created")).toEqual({ "default send": 4, "default message": 1, "other message": 1 });
    expect(points("belfry.attempts")).toEqual({
      "default email email sent": 1,
      "default email email failed": 1,
      "default email email transient": 1,
    });
    expect(points("belfry.deliveries.waiting")).toEqual({
      "default email scheduled": 1,
      "default email due": 0,
      "default email retrying": 1,
      "default email held": 0,
    });
    expect(points("belfry.attempt.lag")).toEqual({ "default email": expect.objectContaining({ count: 3 }) });
    expect(points("belfry.worker.concurrency")).toMatchObject({ deliveries: 100, digests: 10 });
    end();
    await service.create({ to: "ann", title: "Not counted" });
    await meterProvider.shutdown();
  });
});

test("reads that may lag are counted by who answered, and how far the replica was behind", async () => {
  const storage = sqliteStorage(":memory:");
  let answers = 2;
  const replica: ReplicaStorage = {
    async readInboxes(read) {
      answers -= 1;
      return answers < 0 ? null : { found: await read(storage.inbox), lagMs: 700 };
    },
  };
  const service = new NotificationService({ storage: Object.assign(storage, { replica }), logger: silent });
  running.push(service);
  const contract = prometheus(service, { token: TOKEN });
  await service.create({ to: "ann", title: "Hello" });
  for (let read = 0; read < 3; read += 1) {
    await service.inbox("ann").mayLag().counts();
  }
  const app = honoBelfry(service, { contracts: [contract], logger: silent });
  const answer = await app.request(contract.basePath, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect((await answer.text()).split("\n")).toEqual(
    expect.arrayContaining([
      'belfry_inbox_lagging_reads_total{tenant="default",by="replica"} 2',
      'belfry_inbox_lagging_reads_total{tenant="default",by="database"} 1',
      'belfry_replica_lag_seconds_sum{tenant="default"} 1.4',
      'belfry_replica_lag_seconds_count{tenant="default"} 2',
    ]),
  );
});

/** The same contract in both frameworks. */
const FRAMEWORKS = {
  async express(service: NotificationService) {
    const app = express();
    app.use(expressBelfry(service, { contracts: [prometheus(service, { token: TOKEN })], logger: silent }));
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return { fetch: (path: string, init?: RequestInit) => fetch(origin + path, init), close: () => server.close() };
  },
  async hono(service: NotificationService) {
    const app = new Hono();
    app.route("/", honoBelfry(service, { contracts: [prometheus(service, { token: TOKEN })], logger: silent }));
    return { fetch: async (path: string, init?: RequestInit) => app.request(path, init), close: () => undefined };
  },
};

describe.each(Object.entries(FRAMEWORKS))("the endpoint for Prometheus on %s", (_, mount) => {
  const read = (authorization = `Bearer ${TOKEN}`): RequestInit => ({ headers: { authorization } });

  test("answers with the text format, to whoever has the token", async () => {
    const service = serviceOf();
    const { fetch, close } = await mount(service);
    await work(service);
    const refused = await fetch("/api/belfry/metrics");
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect((await fetch("/api/belfry/metrics", read("Bearer another"))).status).toBe(401);
    const answer = await fetch("/api/belfry/metrics", read());
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const lines = (await answer.text()).split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        "# TYPE belfry_attempts_total counter",
        'belfry_attempts_total{tenant="default",channel="email",provider="email",outcome="sent"} 1',
        'belfry_deliveries_waiting{tenant="default",channel="email",state="retrying"} 1',
        'belfry_deliveries_oldest_due_seconds{tenant="default",channel="email"} 0',
        'belfry_attempt_duration_seconds_count{tenant="default",channel="email"} 3',
        'belfry_worker_concurrency{worker="deliveries"} 100',
        'belfry_hub_waiting{tenant="default"} 0',
        'belfry_digests_open{tenant="default"} 0',
        'belfry_digests_oldest_due_seconds{tenant="default"} 0',
        'belfry_workers{worker="deliveries",state="alive"} 1',
        'belfry_workers{worker="deliveries",state="lost"} 0',
        'belfry_worker_lag_seconds{worker="digests"} 0',
        "belfry_storage_up 1",
      ]),
    );
    close();
  });
});

describe("the endpoint for Prometheus", () => {
  const text = async (service: NotificationService, contract: ReturnType<typeof prometheus>) => {
    const app = honoBelfry(service, { contracts: [contract], logger: silent });
    return (await app.request(contract.basePath, { headers: { authorization: `Bearer ${TOKEN}` } })).text();
  };

  test("bounds its series, whatever sources are called", async () => {
    const series = new BoundedSeries();
    const counted = Array.from({ length: MOST_SERIES + 2 }, (_, at) => series.of("records", { tenant: "default", source: `s${at}` }));
    expect(counted[MOST_SERIES - 1]).toEqual({ tenant: "default", source: `s${MOST_SERIES - 1}` });
    expect(counted.slice(MOST_SERIES)).toEqual(Array.from({ length: 2 }, () => ({ tenant: "other", source: "other" })));
    expect(series.of("records", { tenant: "default", source: "s0" })).toEqual({ tenant: "default", source: "s0" });
    expect(series.of("attempts", { tenant: "default" })).toEqual({ tenant: "default" });
  });

  test("tells tenants apart that are named, and no others", async () => {
    const service = serviceOf();
    const contract = prometheus(service, { authorize: () => true, tenants: ["acme"], path: "/metrics" });
    await work(service);
    expect(await text(service, contract)).toContain('belfry_notifications_created_total{tenant="acme",kind="message"} 1');
    expect(await text(service, contract)).toContain('belfry_notifications_created_total{tenant="other",kind="send"} 4');
  });

  test("says that the storage is away, and goes on", async () => {
    const service = serviceOf();
    const contract = prometheus(service, { token: TOKEN });
    await service.create({ to: "ann", title: "Hello" });
    await service.stop();
    const told = await text(service, contract);
    expect(told).toContain("belfry_storage_up 0");
    expect(told).toContain('belfry_notifications_created_total{tenant="default",kind="message"} 1');
  });

  test.each([[{}], [{ token: "short" }], [{ token: TOKEN, path: "metrics/" }], [{ token: TOKEN, authorize: () => true }]])(
    "refuses %o",
    (options) => {
      expect(() => prometheus(serviceOf(), options)).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
    },
  );
});
