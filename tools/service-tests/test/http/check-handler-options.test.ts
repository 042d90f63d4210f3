import { NotificationService } from "@belfry/core";
import { django, hub, inboxV1, pack } from "@belfry/core/contracts";
import { createHandler, type HandlerOptions } from "@belfry/core/http";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { describe, expect, test } from "vitest";

const service = new NotificationService({ storage: sqliteStorage(":memory:") });

function warningsOf(options: HandlerOptions): string[] {
  const warnings: string[] = [];
  const logger = { debug() {}, info() {}, error() {}, warn: (_: object, text: string) => void warnings.push(text) };
  createHandler(service, { ...options, logger });
  return warnings;
}

describe("what a handler serves", () => {
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["no contracts", {}, "must be a list"],
    ["a contract that was not called", { contracts: [inboxV1] }, "inboxV1()"],
    ["a contract twice", { contracts: [pack(), pack()] }, '"pack"'],
    ["a misspelt kind of credential", { contracts: [inboxV1()], auth: { JWT: {} } }, '"JWT"'],
    ["a misspelt option", { contracts: [], allowedOrigin: [] }, 'allowedOrigins, basePath, health, logger, clock; got "allowedOrigin"'],
    ["keys in a list", { contracts: [hub()], auth: { apiKeys: ["a-key-of-many-characters"] } }, "is an array"],
    ["a key without a character", { contracts: [hub()], auth: { apiKeys: { "": "acme" } } }, "empty"],
    ["keys the wrong way round", { contracts: [hub()], auth: { apiKeys: { acme: "k3y9f8a7d6e5c4b3a2" } } }, "wrong way round"],
    ["an origin that is no list", { contracts: [], allowedOrigins: "https://app.example.com" }, "must be a list"],
    ["an origin with a path", { contracts: [], allowedOrigins: ["https://app.example.com/"] }, "https://app.example.com/"],
    ["no room for bodies", { contracts: [], maxBodyBytes: 0 }, "maxBodyBytes must be a whole number above 0, is 0"],
    ["no sockets in a word", { contracts: [], sockets: "no" }, 'sockets must be true or false, is "no"'],
    ["sockets as a text", { contracts: [], maxSocketsPerAddress: "10" }, "maxSocketsPerAddress"],
    ["health as a text", { contracts: [], health: "yes" }, "health, where it is not true or false,"],
    ["a check at no path", { contracts: [], health: { livePath: "live" } }, "health takes two paths"],
    ["two checks at one path", { contracts: [], health: { livePath: "/health/ready" } }, "health takes two paths"],
    ["an address that is no function", { contracts: [], clientAddress: "8.8.8.8" }, "clientAddress must be a function"],
  ];
  test.each(wrong)("%s is refused", (_, options, message) => {
    const make = () => createHandler(service, options as HandlerOptions);
    expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
  });

  test("a contract that nobody can log in to is a warning, and so is a short secret", () => {
    const secret = "x".repeat(32);
    expect(warningsOf({ contracts: [inboxV1()], auth: { jwt: { secret } } })).toEqual([]);
    expect(warningsOf({ contracts: [inboxV1()], auth: () => null })).toEqual([]);
    expect(warningsOf({ contracts: [pack({ auth: "open" })] })).toEqual([]);
    expect(warningsOf({ contracts: [inboxV1(), django(), hub()], auth: { tokens: {} } })).toEqual([
      expect.stringContaining("inbox-v1 is mounted, but auth.jwt"),
      expect.stringContaining("hub is mounted, but auth.apiKeys"),
    ]);
    expect(warningsOf({ contracts: [inboxV1()], auth: { jwt: { secret: "short" } } })).toEqual([expect.stringContaining("5 bytes")]);
    const apiKeys = { short: "acme", "a-key-of-many-characters": "acme" };
    expect(warningsOf({ contracts: [hub()], auth: { apiKeys } })).toEqual([
      expect.stringContaining("auth.apiKeys has 1 credentials of fewer"),
    ]);
  });
});
