import { type ActivityPage, NotificationService, type RetryRun, type Send, systemClock, type TrackedDelivery, uuidV7 } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { freshDatabase } from "@belfry/postgres-launcher";
import { postgresStorage } from "@belfry/storage-postgres";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ApiError, Json } from "../src/wire.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

const HOUR_MS = 3_600_000;

/** Opens a storage of its own, and what removes it. */
const STORAGES = {
  async SQLite(): Promise<{ readonly storage: Storage; drop(): Promise<void> }> {
    return { storage: sqliteStorage(":memory:"), drop: async () => {} };
  },
  async PostgreSQL() {
    const database = await freshDatabase();
    return { storage: postgresStorage(database.url), drop: () => database.drop() };
  },
};

const SETTINGS = FRAMEWORKS.flatMap((framework) => (["SQLite", "PostgreSQL"] as const).map((name) => [framework, name] as const));

describe.each(SETTINGS)("retries on %s over %s", (framework, name) => {
  let storage: Storage;
  let sms: BreakableChannel;
  let call: BreakableChannel;
  let service: NotificationService;
  let host: RunningHost;
  let drop: () => Promise<void>;
  let tenant: string | undefined;

  beforeEach(async () => {
    tenant = undefined;
    ({ storage, drop } = await STORAGES[name]());
    // What fails over the one fails for good, and is tried again in an hour over the other.
    [sms, call] = [new BreakableChannel("sms"), new BreakableChannel("call", [HOUR_MS])];
    service = new NotificationService({ storage, channels: [sms, call] });
    const authorize = () => ({ read: true, act: ["retry"] as const, actor: "eve", ...(tenant !== undefined && { tenant }) });
    host = await startHost(service, { framework, prefix: "/admin", authorize });
  });

  afterEach(async () => {
    await host.close();
    await service.stop();
    await drop();
  });

  async function ask<Answer>(path: string, method: "GET" | "POST" = "GET", body?: object): Promise<[number, Answer]> {
    const headers = { "x-belfry-dashboard": "1", ...(body !== undefined && { "content-type": "application/json" }) };
    const response = await fetch(`${host.url}/api/${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    return [response.status, (await response.json()) as Answer];
  }

  async function failing(channel: "sms" | "call", numbers: readonly string[]): Promise<string> {
    const { notification } = await service.create({ to: numbers, channels: [channel], title: "Code", message: "1234" });
    await service.runDue();
    return notification.id;
  }

  const deliveriesOf = async (id: string): Promise<readonly TrackedDelivery[]> => (await service.deliveries(id)).deliveries;
  const notFound = [404, { error: { code: "NOT_FOUND" } }];

  test("one send is tried again, or one delivery of it, what failed and what waits", async () => {
    const [failed, waiting] = [await failing("sms", ["+491"]), await failing("call", ["+492", "+493"])];
    for (const channel of [sms, call]) {
      channel.isBroken = false;
    }
    expect(await ask<Json<Send>>(`sends/${failed}/again`, "POST")).toMatchObject([200, { id: failed, status: "pending" }]);
    const [, second] = await deliveriesOf(waiting);
    const one = { deliveryId: second?.id ?? "" };
    expect(await ask<Json<Send>>(`sends/${waiting}/again`, "POST", one)).toMatchObject([200, { id: waiting }]);
    await service.runDue();
    expect(await deliveriesOf(failed)).toMatchObject([{ status: "delivered" }]);
    expect(await deliveriesOf(waiting)).toMatchObject([{ status: "pending" }, { status: "delivered" }]);
    expect(await ask(`sends/${failed}/again`, "POST")).toMatchObject([409, { error: { code: "INVALID_STATE" } }]);
    expect(await ask(`sends/${waiting}/again`, "POST", { deliveryId: failed })).toMatchObject([409, { error: { code: "INVALID_STATE" } }]);
    expect(await ask(`sends/${waiting}/again`, "POST", { deliveryId: "none" })).toMatchObject([
      422,
      { error: { code: "VALIDATION_ERROR" } },
    ]);
    expect((await service.timeline(waiting)).audit.map(({ action, actor }) => [action, actor])).toContainEqual(["retried", "eve"]);
    for (const id of ["none", uuidV7(systemClock).next()]) {
      expect(await ask<ApiError>(`sends/${id}/again`, "POST")).toMatchObject(notFound);
    }
    tenant = "acme";
    expect(await ask<ApiError>(`sends/${waiting}/again`, "POST")).toMatchObject(notFound);
    expect(await deliveriesOf(waiting)).toMatchObject([{ status: "pending" }, { status: "delivered" }]);
  });

  test("a run is counted before, started, paused, resumed, and goes to its end in the background", async () => {
    const ids = [await failing("sms", ["+491"]), await failing("sms", ["+492"]), await failing("call", ["+493"])];
    expect(await ask("retries?channel=sms")).toEqual([200, { matched: 2 }]);
    expect(await ask("retries")).toEqual([200, { matched: 3 }]);
    for (const channel of [sms, call]) {
      channel.isBroken = false;
    }
    // No process works on it yet.
    const take = vi.spyOn(storage.retryRuns, "take").mockResolvedValue(null);
    const from = "2026-01-31T12:00:00.000Z";
    const [status, run] = await ask<Json<RetryRun>>(`retry-runs?from=${from}`, "POST");
    const began = { id: run.id, actor: "eve", state: "running", filter: { from }, matched: 3, looked: 0, retried: 0, endedAt: null };
    expect([status, run]).toEqual([201, { ...began, createdAt: expect.any(String) }]);
    const path = `retry-runs/${run.id}`;
    expect(await ask(path)).toEqual([200, run]);
    expect(await ask(`${path}/resume`, "POST")).toMatchObject([
      409,
      { error: { code: "INVALID_STATE", message: expect.stringContaining("running") } },
    ]);
    expect(await ask(`${path}/pause`, "POST")).toEqual([200, { ...run, state: "paused" }]);
    expect(await ask(`${path}/pause`, "POST")).toMatchObject([409, { error: { code: "INVALID_STATE" } }]);
    take.mockRestore();
    await service.runDue();
    expect(await ask(path)).toEqual([200, { ...run, state: "paused" }]);
    expect(await ask(`${path}/resume`, "POST")).toMatchObject([200, { id: run.id, state: "running" }]);
    await service.runDue();
    const [, ended] = await ask<Json<RetryRun>>(path);
    expect(ended).toMatchObject({ state: "finished", looked: 3, retried: 3, endedAt: expect.any(String) });
    expect((await Promise.all(ids.map((id) => service.get(id)))).map((send) => send.status)).toEqual([
      "delivered",
      "delivered",
      "delivered",
    ]);
    for (const verb of ["pause", "resume", "cancel"]) {
      expect(await ask(`${path}/${verb}`, "POST")).toMatchObject([409, { error: { code: "INVALID_STATE" } }]);
    }
    expect(await ask("retries")).toEqual([200, { matched: 0 }]);
    expect(await ask<Json<ActivityPage>>("activity?state=delivered")).toMatchObject([200, { notifications: [{}, {}, {}] }]);
  });

  test("runs are listed newest first, cancelled, and those of another tenant are nobody's", async () => {
    const id = await failing("sms", ["+491"]);
    vi.spyOn(storage.retryRuns, "take").mockResolvedValue(null);
    const [, first] = await ask<Json<RetryRun>>("retry-runs?channel=sms", "POST");
    const [, second] = await ask<Json<RetryRun>>(`retry-runs?id=${id}`, "POST");
    expect(await ask("retry-runs")).toEqual([200, { runs: [second, first] }]);
    expect(await ask("retry-runs?limit=1")).toEqual([200, { runs: [second] }]);
    const [status, cancelled] = await ask<Json<RetryRun>>(`retry-runs/${first.id}/cancel`, "POST");
    expect([status, cancelled]).toEqual([200, { ...first, state: "cancelled", endedAt: expect.any(String) }]);
    tenant = "acme";
    expect(await ask("retry-runs")).toEqual([200, { runs: [] }]);
    expect(await ask(`retry-runs/${second.id}`)).toMatchObject(notFound);
    for (const verb of ["pause", "resume", "cancel"]) {
      for (const strange of [second.id, "none"]) {
        expect(await ask(`retry-runs/${strange}/${verb}`, "POST")).toMatchObject(notFound);
      }
    }
    tenant = undefined;
    expect(await ask(`retry-runs/${second.id}`)).toMatchObject([200, { state: "running" }]);
    expect(await service.get(id)).toMatchObject({ status: "failed" });
    for (const query of ["limit=0", "limit=101"]) {
      expect(await ask(`retry-runs?${query}`)).toMatchObject([422, { error: { code: "VALIDATION_ERROR" } }]);
    }
    for (const query of ["status=lost", "state=lost", "from=yesterday", "id=7", "recipient=%00"]) {
      expect(await ask(`retry-runs?${query}`, "POST")).toMatchObject([422, { error: { code: "VALIDATION_ERROR" } }]);
    }
    expect((await ask<{ runs: readonly unknown[] }>("retry-runs"))[1].runs).toHaveLength(2);
  });
});
