import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { pack } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express5, { type RequestHandler } from "express";
import express4 from "express-4";
import { afterEach, describe, expect, test } from "vitest";
import { expressBelfry } from "../src/index.ts";

let server: Server | undefined;
let service: NotificationService;

type Express = typeof express5;

interface Parser {
  readonly name: string;
  readonly express: Express;
  readonly parser: RequestHandler;
}

/** Serves `pack` behind one of the host's parsers. */
async function behind({ express, parser }: Parser, maxBodyBytes = 1_000): Promise<string> {
  service = new NotificationService({ storage: sqliteStorage(":memory:") });
  const app = express();
  app.use(parser, expressBelfry(service, { contracts: [pack({ auth: "open" })], maxBodyBytes }));
  const listening = app.listen(0, "127.0.0.1");
  server = listening;
  await new Promise((resolve) => void listening.once("listening", resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/api/notifications/create`;
}

async function post(url: string, body: string, type = "application/json"): Promise<[number, unknown]> {
  const response = await fetch(url, { method: "POST", body, headers: { "content-type": type } });
  return [response.status, await response.json()];
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => void server?.close(resolve));
  await service.stop();
});

function parsersOf(version: string, express: Express): Parser[] {
  return [
    { name: `json() of ${version}`, express, parser: express.json() },
    { name: `text() of every type of ${version}`, express, parser: express.text({ type: "*/*" }) },
    { name: `raw() of every type of ${version}`, express, parser: express.raw({ type: "*/*" }) },
    { name: `urlencoded() of ${version}`, express, parser: express.urlencoded({ extended: true }) },
  ];
}

const parsers = [...parsersOf("Express 5", express5), ...parsersOf("Express 4.18", express4)];

describe.each(parsers)("behind $name", (parser) => {
  test("JSON is read, and an error names the missing field", async () => {
    const url = await behind(parser);
    expect(await post(url, '{"user_id":"ann","content":"Zoë 😀"}')).toMatchObject([200, { user_id: "ann", content: "Zoë 😀" }]);
    expect(await post(url, '{"user_id":"ann"}')).toEqual([
      422,
      { detail: [{ loc: ["body", "content"], msg: "Field required", type: "missing" }] },
    ]);
  });

  test("a body that is not declared as JSON is 415, and nothing is created", async () => {
    const url = await behind(parser);
    for (const [body, type] of [
      ["user_id=ann&content=x", "application/x-www-form-urlencoded"],
      ['{"user_id":"ann","content":"x"}', "text/plain"],
    ] as const) {
      expect(await post(url, body, type)).toEqual([
        415,
        { detail: `The body is "${type}"; send JSON with Content-Type: application/json.` },
      ]);
    }
    expect(await service.inbox("ann").counts()).toMatchObject({ total: 0 });
  });
});

describe.each(parsers.filter(({ name }) => !name.startsWith("json")))("behind $name, which does not parse JSON", (parser) => {
  test("broken JSON is 400, and a body over the limit is 413", async () => {
    const url = await behind(parser);
    expect(await post(url, '{"user_id":')).toEqual([400, { detail: "The body is not valid JSON in UTF-8." }]);
    expect(await post(url, `{"user_id":"${"x".repeat(1_000)}"}`)).toEqual([
      413,
      { detail: "The body is larger than the 1000 bytes allowed." },
    ]);
  });
});
