import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express5 from "express";
import express4 from "express-4";
import { afterEach, describe, expect, test } from "vitest";

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => void server?.close(resolve));
});

describe.each([
  ["Express 5", express5],
  ["Express 4", express4],
])("a route of the host's in %s", (_, express) => {
  test("answers the status of an error of Belfry's that it passes on", async () => {
    const service = new NotificationService({ storage: sqliteStorage(":memory:") });
    const app = express();
    // Express logs the errors of other environments.
    app.set("env", "test");
    app.post("/wrong", (_request, _response, next) => void service.create({ to: "", title: "Hello" }).then(() => next(), next));
    app.post("/unknown", (_request, _response, next) => void service.get("nothing").then(() => next(), next));
    const listening = app.listen(0, "127.0.0.1");
    server = listening;
    await new Promise((resolve) => void listening.once("listening", resolve));
    const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    const statuses = ["/wrong", "/unknown"].map(async (path) => (await fetch(`${url}${path}`, { method: "POST" })).status);
    expect(await Promise.all(statuses)).toEqual([422, 404]);
    await service.stop();
  });
});
