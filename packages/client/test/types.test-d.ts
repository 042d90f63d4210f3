import { defineTypes, NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { createClient, type Item, type JsonObject } from "../src/index.ts";

const types = defineTypes({
  invoice: { data: z.object({ amount: z.number() }) },
  comment: { data: z.object({ post: z.string() }) },
  welcome: {},
});
const notifications = new NotificationService({ storage: sqliteStorage(":memory:"), types });
const options = { url: "/api/belfry/v1" };

test("items have the data of the service's types, and no other", () => {
  const inbox = createClient<typeof notifications>(options);
  const [item] = inbox.view().getSnapshot().items;
  expectTypeOf(item?.type).toEqualTypeOf<"invoice" | "comment" | "welcome" | undefined>();
  if (item?.type === "invoice") {
    expectTypeOf(item.data.amount).toExtend<number>();
    // @ts-expect-error An invoice has no such field.
    item.data.post;
  }
  inbox.on("received", (received) => {
    if (received.type === "comment") {
      expectTypeOf(received.data.post).toExtend<string>();
    }
  });
  inbox.view({ types: ["invoice"] });
  // @ts-expect-error There is no such type.
  inbox.view({ types: ["invoices"] });
  // @ts-expect-error There is no such event.
  inbox.on("lost", () => undefined);
});

test("without a service, data is any JSON object", () => {
  expectTypeOf(createClient(options).view().getSnapshot().items).toEqualTypeOf<readonly Item[]>();
  expectTypeOf(createClient(options).view().getSnapshot().items[0]?.data).toEqualTypeOf<JsonObject | undefined>();
  const untyped = new NotificationService({ storage: sqliteStorage(":memory:") });
  expectTypeOf(createClient<typeof untyped>(options).view().getSnapshot().items[0]?.type).toEqualTypeOf<string | undefined>();
});

test("a change resolves with the number of items, or with the error", () => {
  expectTypeOf(createClient(options).markRead("id"))
    .resolves.extract<{ readonly ok: true }>()
    .toEqualTypeOf<{ readonly ok: true; readonly value: number }>();
});
