import { type FailingEndpoints, NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access } from "../src/index.ts";
import type { Json } from "../src/wire.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

describe.each(FRAMEWORKS)("endpoints that fail on %s", (framework) => {
  const place = { channel: "sms", recipient: "+4911" };
  let channel: BreakableChannel;
  let service: NotificationService;
  let access: Access;
  let host: RunningHost;

  beforeEach(async () => {
    channel = new BreakableChannel("sms", [3_600_000]);
    service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [channel] });
    access = { read: true, act: true, actor: "ann", tenant: "acme" };
    host = await startHost(service, { framework, prefix: "/admin", authorize: () => access });
    for (let index = 0; index < 5; index += 1) {
      await service.tenant("acme").create({ channels: ["sms"], to: "+4911", title: "Code" });
    }
    await service.runDue();
  });

  afterEach(async () => {
    await host.close();
    await service.stop();
  });

  const list = async (query = "") => (await (await fetch(`${host.url}/api/endpoints${query}`)).json()) as Json<FailingEndpoints>;
  const post = (path: string, body: unknown) =>
    fetch(`${host.url}/api/endpoints/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-belfry-dashboard": "1" },
      body: JSON.stringify(body),
    });

  test("are listed, tried by one delivery and resumed, in the reader's tenant and name", async () => {
    const causes = [{ provider: "gateway", error: "The gateway has no signal.", deliveries: 5 }];
    expect(await list()).toMatchObject({ endpoints: [{ ...place, deliveries: 5, failuresInARow: 5, causes }], isComplete: true });
    expect((await list("?channel=email")).endpoints).toEqual([]);
    channel.isBroken = false;
    const tried = await post("try-one", place);
    const { id } = (await tried.json()) as { readonly id: string };
    await service.runDue();
    expect([tried.status, (await service.tenant("acme").get(id)).status]).toEqual([200, "delivered"]);
    expect((await list()).endpoints).toMatchObject([{ deliveries: 4, restsUntil: null }]);
    expect(await (await post("resume", place)).json()).toEqual({ resumed: false });
    expect((await service.tenant("acme").operator.timeline(id)).audit.at(-1)).toMatchObject({ action: "retried", actor: "ann" });
  });

  test("can be read, but not tried, by who may not act, nor where nothing fails", async () => {
    expect((await post("try-one", { ...place, recipient: "+4912" })).status).toBe(404);
    for (const path of ["try-one", "resume"]) {
      expect((await post(path, { channel: "sms" })).status).toBe(422);
      access = { read: true, act: false, tenant: "acme" };
      expect((await post(path, place)).status).toBe(403);
      access = { ...access, act: true };
    }
    access = { read: true, act: false };
    expect((await list()).endpoints).toEqual([]);
  });
});
