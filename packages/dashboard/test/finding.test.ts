import { type ActivityPage, NotificationService, type ProcessingRecord, type Processor, type RecordPage } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { ApiError, Json } from "../src/wire.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

const processor: Processor = {
  name: "test",
  timeoutMs: 5_000,
  concurrency: 1,
  process: async ({ notification }) => ({ status: "failed", transient: false, error: `No words for ${notification.content}.` }),
};

describe.each(FRAMEWORKS)("what is found over %s", (framework) => {
  let service: NotificationService;
  let host: RunningHost;

  async function start(act = true) {
    service = new NotificationService({
      storage: sqliteStorage(":memory:"),
      channels: [new BreakableChannel()],
      hub: { processor },
      directory: (ids) => new Map(ids.map((id) => [id, { sms: "+4911" }])),
    });
    host = await startHost(service, { framework, prefix: "/admin", authorize: () => ({ read: true, act, actor: "ann" }) });
  }

  afterEach(async () => {
    await host.close();
    await service.stop();
  });

  async function get<Answer>(path: string, status = 200): Promise<Answer> {
    const response = await fetch(`${host.url}/api/${path}`);
    expect(response.status).toBe(status);
    return (await response.json()) as Answer;
  }

  const post = (path: string) =>
    fetch(`${host.url}/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-belfry-dashboard": "1" },
      body: "{}",
    });

  test("sends by user, beginning, key and error, with names to complete what is typed", async () => {
    await start();
    const { notification } = await service.create({ channels: ["sms"], to: { sms: "+4911" }, message: "1234", idempotencyKey: "order-1" });
    await service.create({ to: "Ann", message: "Hello" });
    await service.runDue();
    for (const query of ["user=bob", "recipientPrefix=%2B49", "idempotencyKey=order", "error=NO%20SIGNAL"]) {
      const { notifications } = await get<Json<ActivityPage>>(`activity?${query}`);
      expect([query, notifications.map(({ id }) => id)]).toEqual([query, [notification.id]]);
      expect([query, await get(`activity-count?${query}`)]).toEqual([query, { count: 1 }]);
    }
    expect(await get("activity?providerId=none")).toEqual({ notifications: [], nextCursor: null });
    expect(await get("recipients?beginning=an")).toEqual({ recipients: ["Ann"] });
    expect(await get<ApiError>("recipients?beginning=", 422)).toMatchObject({ error: { code: "VALIDATION_ERROR" } });
  });

  test("processing records by their error, which run again in the reader's name", async () => {
    await start();
    await service.hub.handlers.create({ source: "shop", prompt: "What happened?" });
    const event = await service.hub.events.create({ source: "shop", sender: "till 3", content: "a jam" });
    const failed = await vi.waitFor(async () => {
      const { records } = await get<Json<RecordPage>>("records?state=failed&error=words%20for%20A&limit=1");
      expect(records).toMatchObject([
        { notificationId: event.id, prompt: "What happened?", error: "No words for a jam.", excerpt: "a jam" },
      ]);
      return records[0]?.id ?? "";
    });
    const answer = await post(`records/${failed}/retry`);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as Json<ProcessingRecord>).id).toBe(failed);
    expect((await service.timeline(event.id)).audit).toMatchObject([{ action: "retried", actor: "ann", targetKind: "record" }]);
    expect((await post(`records/${event.id}/retry`)).status).toBe(404);
    expect(await get<ApiError>("records?state=lost", 422)).toMatchObject({ error: { code: "VALIDATION_ERROR" } });
  });

  test("processing records that who may only read cannot have run again", async () => {
    await start(false);
    expect((await post("records/01920000-0000-7000-8000-000000000000/retry")).status).toBe(403);
    expect(await get("records")).toEqual({ records: [], nextCursor: null });
  });
});
