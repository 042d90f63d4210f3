import { defineTypes, NotificationService, type NotificationServiceOptions } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

describe("the options of a service", () => {
  const storage = sqliteStorage(":memory:");
  const speaking = (name: string, version: number | undefined) => ({ name, version, open() {}, close() {} });
  const wrong: readonly (readonly [string, unknown, string])[] = [
    ["no options", undefined, "takes an object of storage, types"],
    ["no storage", {}, 'pass sqliteStorage("app.db")'],
    ["a path as storage", { storage: "app.db" }, "got string"],
    ["a storage written for another core", { storage: speaking("sqlite", 0) }, "speaks version 0 of the storage interface"],
    ["the same, and what to do", { storage: speaking("sqlite", 0) }, "update the storage's package, @belfry/storage-sqlite"],
    ["a storage of somebody else's without a version", { storage: speaking("oracle", undefined) }, '"oracle", which speaks no version'],
    ["a storage that is newer than this core", { storage: speaking("postgres", 1_000) }, "update @belfry/core"],
    ["a misspelt option", { storage, chanels: [] }, '"chanels"'],
    ["one channel without a list", { storage, channels: { name: "a" } }, "as a list"],
    ["half a channel", { storage, channels: [{ name: "a", deliver() {} }] }, "channel 0"],
    ["data that is no schema", { storage, types: { a: { data: {} } } }, 'type "a"'],
    ["a text of a type that is none", { storage, types: { a: { title: 7 } } }, 'the type "a" title expected a string, got number'],
    ["a link of a type that is unsafe", { storage, types: { a: { url: "javascript:x" } } }, 'the type "a" url must be a path, or begin'],
    ["a misspelt member of a type", { storage, types: { a: { titel: "A" } } }, '"titel"'],
    [
      "a channel of a type that it has not",
      { storage, types: { a: { channels: { sms: true } } } },
      'no channel "sms", which the type "a" names',
    ],
    [
      "a category that there is not",
      { storage, types: { a: { category: "socail" } }, categories: { social: {} } },
      'the type "a" category is "socail", which is none of social',
    ],
    ["a list of categories", { storage, categories: ["social"] }, "a table such as"],
    ["a misspelt member of a category", { storage, categories: { social: { lable: "Social" } } }, '"lable"'],
    ["a label that is no text", { storage, categories: { social: { label: 7 } } }, 'the category "social" label'],
    ["a misspelt rule of a channel", { storage, types: { a: { channels: { inbox: { optinal: true } } } } }, '"optinal"'],
    ["a language that is none", { storage, locale: "english please" }, 'BCP 47 tag such as "en" or "pt-BR", got "english please"'],
    ["a public address with a query", { storage, publicUrl: "https://x.example/?a" }, "without a query"],
    ["a public address that is none", { storage, publicUrl: "x.example" }, "publicUrl"],
    [
      "a short secret of links",
      { storage, publicUrl: "https://x.example", linkSecret: "short" },
      "at least 32 characters, or a list of such texts; got one of 5 characters",
    ],
    [
      "no secret in a list of them",
      { storage, publicUrl: "https://x.example", linkSecret: [] },
      "at least 32 characters, or a list of such texts; got an empty list",
    ],
    ["a secret without an address", { storage, linkSecret: "x".repeat(32) }, "without a publicUrl"],
    ["an address without a secret", { storage, publicUrl: "https://x.example" }, "got a publicUrl without a linkSecret"],
    [
      "a title of two lines for a channel",
      { storage, types: { a: { title: "A\nB", channels: ["inbox", "mail"] } } },
      'the type "a" title must be one line',
    ],
    ["a negative lease", { storage, hub: { leaseMs: -1 } }, "hub.leaseMs"],
    ["a lease that no process keeps", { storage, delivery: { leaseMs: 0 } }, "delivery.leaseMs as a whole number from 1000, got 0"],
    ["no delivery at once", { storage, delivery: { concurrency: 0 } }, "delivery.concurrency as a whole number from 1, got 0"],
    ["half a delivery at once", { storage, delivery: { concurrency: 0.5 } }, "delivery.concurrency as a whole number from 1, got 0.5"],
    ["a text as a number", { storage, delivery: { drainMs: "10" } }, "delivery.drainMs"],
  ];
  test.each(wrong)("%s is refused", (_, options, message) => {
    const make = () => new NotificationService(options as NotificationServiceOptions);
    expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
  });
});

describe("the names that types may use", () => {
  test.each([
    ["a category that there is not", { a: { category: "socail" } }, 'the type "a" category is "socail", which is none of social'],
    ["a channel that there is not", { a: { channels: ["emial"] } }, 'the type "a" channels names "emial", which is none of inbox, email'],
  ])("%s is refused", (_, types, message) => {
    const declare = defineTypes as (types: object, names: object) => unknown;
    const make = () => declare(types, { categories: { social: {} }, channels: ["email"] });
    expect(make).toThrow(expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining(message) }));
  });
});

onEveryStorage((database) => {
  describe("data of a declared type", () => {
    const types = { meeting: { data: z.object({ at: z.date(), guests: z.set(z.string()).transform((guests) => [...guests]) }) } };

    test("is checked in the form that the caller passes, and stored as JSON", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
      const at = new Date("2026-01-02T03:04:05.678Z");
      const data = { at, guests: new Set(["ann", "bob"]) };
      await service.create({ to: "ann", type: "meeting", data });
      const { items } = await service.inbox("ann").list();
      expect(items[0]?.data).toEqual({ at: at.toISOString(), guests: ["ann", "bob"] });
    });

    test("a type that is not given is named as such", async () => {
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
      const untyped = service as unknown as NotificationService;
      await expect(untyped.create({ to: "ann" })).rejects.toMatchObject({
        code: "UNKNOWN_TYPE",
        message: expect.stringMatching(/stands for none being given.*meeting/),
      });
    });
  });

  describe("what a channel answers", () => {
    test.each([
      [undefined, "undefined"],
      ["ok", "ok"],
      [{ status: "ok", provider: "x" }, "an object with status, provider, without a valid status"],
      [{ status: "failed", provider: "x" }, "an object with status, provider, without a valid error"],
      [{ status: "sent" }, "an object with status, without a valid provider"],
      [{}, "an object with nothing, without a valid status and provider"],
    ])("%j is no outcome: the delivery fails, and says what was expected", async (answer, got) => {
      const channel = {
        name: "own",
        retryDelaysMs: [],
        timeoutMs: 1_000,
        invalidRecipient: () => null,
        deliver: async () => answer as never,
      };
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [channel] }));
      const {
        notification: { id },
      } = await service.create({ channels: ["own"], to: "ann", message: "x" });
      await service.runDue();
      expect((await service.get(id)).status).toBe("failed");
      const {
        deliveries: [delivery],
      } = await service.deliveries(id);
      expect(delivery?.attempts[0]?.error).toContain(`The channel own answered ${got}; expected { status: "sent"`);
    });
  });
});
