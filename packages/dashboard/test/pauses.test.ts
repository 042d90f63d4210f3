import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Access } from "../src/index.ts";
import { BreakableChannel } from "./breakable-channel.ts";
import { FRAMEWORKS, type RunningHost, startHost } from "./host.ts";

describe.each(FRAMEWORKS)("pauses on %s", (framework) => {
  let service: NotificationService;
  let access: Access;
  let host: RunningHost;

  beforeEach(async () => {
    service = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [new BreakableChannel()] });
    access = { read: true, act: true, actor: "ann", tenant: "acme" };
    host = await startHost(service, { framework, prefix: "/admin", authorize: () => access });
  });

  afterEach(async () => {
    await host.close();
    await service.stop();
  });

  const list = async () => await (await fetch(`${host.url}/api/pauses`)).json();
  const post = (path: string, body: unknown, headers: object = { "x-belfry-dashboard": "1" }) =>
    fetch(`${host.url}/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });

  test("are made, listed and ended, all in the reader's tenant and name", async () => {
    await service.operator.pauses.pause({ channel: "sms" });
    const place = { channel: "sms", recipient: "+4911" };
    const made = await post("pauses", { ...place, detail: "It moves." });
    const shown = { ...place, actor: "ann", detail: "It moves.", pausedAt: expect.any(String) };
    expect([made.status, await made.json(), await list()]).toEqual([201, shown, { pauses: [shown] }]);
    expect((await post("pauses", {})).status).toBe(201);
    expect(await list()).toMatchObject({ pauses: [{ channel: null, recipient: null, detail: null }, shown] });
    for (const resumed of [true, false]) {
      expect(await (await post("pauses/resume", place)).json()).toEqual({ resumed });
    }
    expect(await list()).toMatchObject({ pauses: [{ channel: null }] });
    const lines = await service.tenant("acme").operator.auditLog();
    expect(lines.map(({ action, actor }) => [action, actor])).toEqual([
      ["resumed", "ann"],
      ["paused", "ann"],
      ["paused", "ann"],
    ]);
  });

  test("can be read, but not changed, by who may not act, nor from another site, nor where nothing is", async () => {
    const fromElsewhere = { "sec-fetch-site": "cross-site", origin: "https://evil.test" };
    for (const path of ["pauses", "pauses/resume"]) {
      expect((await post(path, {}, fromElsewhere)).status).toBe(403);
      expect((await post(path, { recipient: "+4911" })).status).toBe(422);
      expect((await post(path, { channel: 7 })).status).toBe(422);
    }
    expect((await post("pauses", { channel: "smoke" })).status).toBe(409);
    access = { read: true, act: false, tenant: "acme" };
    expect((await post("pauses", {})).status).toBe(403);
    expect((await post("pauses/resume", {})).status).toBe(403);
    expect(await list()).toEqual({ pauses: [] });
  });
});
