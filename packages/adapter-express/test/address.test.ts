import type { AddressInfo } from "node:net";
import { NotificationService } from "@belfry/core";
import { django, inboxV1 } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express5, { type RequestHandler } from "express";
import express4 from "express-4";
import { describe, expect, test } from "vitest";
import { expressBelfry } from "../src/index.ts";

type Express = typeof express5;

const PROXIED = { "x-forwarded-for": "203.0.113.7" };

/** The address that a host's `auth` sees of a request with these headers. */
async function addressOf(express: Express, headers: Record<string, string>, trustsProxies: boolean, before: RequestHandler) {
  const service = new NotificationService({ storage: sqliteStorage(":memory:") });
  const seen: (string | undefined)[] = [];
  const auth = ({ remoteAddress }: { readonly remoteAddress?: string | undefined }) => {
    seen.push(remoteAddress);
    return null;
  };
  const app = express().set("trust proxy", trustsProxies);
  app.use(before, expressBelfry(service, { contracts: [inboxV1()], auth }));
  const server = app.listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => void server.once("listening", resolve));
    await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/notifications/unread-count`, { headers });
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
    await service.stop();
  }
  return seen;
}

/** The link to the second page of a list that a proxy asks for in the name of somebody else. */
async function linkOf(express: Express, trustsProxies: boolean, contract = django({ links: "absolute" })): Promise<string> {
  const service = new NotificationService({ storage: sqliteStorage(":memory:") });
  for (let count = 0; count < 2; count += 1) {
    await service.create({ to: "ann" });
  }
  const app = express().set("trust proxy", trustsProxies);
  app.use("/x", expressBelfry(service, { contracts: [contract], auth: { tokens: { "a-token-of-ann-1": "ann" } } }));
  const server = app.listen(0, "127.0.0.1");
  try {
    await new Promise((resolve) => void server.once("listening", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const proxied = { "x-forwarded-proto": "https", "x-forwarded-host": "api.example.com:8443, inner" };
    const headers = { authorization: "Token a-token-of-ann-1", ...proxied };
    const answer = await fetch(`${url}/x/notifications/?page_size=1`, { headers });
    const { next } = (await answer.json()) as { next: string };
    return next.replace(url, "HERE");
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => void server.close(resolve));
    await service.stop();
  }
}

const passOn: RequestHandler = (_request, _response, next) => next();

describe.each([
  ["Express 5", express5],
  ["Express 4.18", express4],
])("under %s", (_, express) => {
  test("the address of a caller is the one that a trusted proxy names, else that of the connection", async () => {
    expect(await addressOf(express, {}, true, passOn)).toEqual(["127.0.0.1"]);
    expect(await addressOf(express, PROXIED, true, passOn)).toEqual(["203.0.113.7"]);
    expect(await addressOf(express, PROXIED, false, passOn)).toEqual(["127.0.0.1"]);
  });

  test("absolute links have the scheme and host that a trusted proxy names, else those of the connection", async () => {
    expect(await linkOf(express, true)).toBe("https://api.example.com:8443/x/notifications/?page_size=1&page=2");
    expect(await linkOf(express, false)).toBe("HERE/x/notifications/?page_size=1&page=2");
    const named = django({ links: new URL("https://example.com/api/") });
    expect(await linkOf(express, false, named)).toBe("https://example.com/api/x/notifications/?page_size=1&page=2");
  });

  test("an address that a middleware of the host set counts", async () => {
    const named: RequestHandler = (request, _response, next) => {
      Object.defineProperty(request, "ip", { value: "203.0.113.9" });
      next();
    };
    expect(await addressOf(express, {}, false, named)).toEqual(["203.0.113.9"]);
  });
});
