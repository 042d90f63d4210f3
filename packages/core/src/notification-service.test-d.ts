import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import { defineTypes } from "./model/notification-types.ts";
import { NotificationService } from "./notification-service.ts";
import type { Storage } from "./storage.ts";

declare const synchronous: Storage<{ readonly handle: "sync" }, void>;
declare const asynchronous: Storage<{ readonly handle: "async" }, Promise<void>>;

const types = defineTypes({
  order_update: { label: "Order Update", data: z.object({ related_order_id: z.number() }) },
  welcome: {},
});

test("without declared types a type is any string and data any JSON object", () => {
  const notifications = new NotificationService({ storage: synchronous });
  void notifications.create({ to: "ann" });
  void notifications.create({ to: ["ann", "bob"], type: "anything", data: { a: [1, null, { b: "c" }] } });
  // @ts-expect-error Somebody has to get it.
  void notifications.create({ type: "anything" });
  // @ts-expect-error A function is no JSON.
  void notifications.create({ to: "ann", data: { a: () => 1 } });
});

test("with declared types an unknown type or wrong data does not compile", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  void notifications.create({ to: "ann", type: "order_update", data: { related_order_id: 1 } });
  void notifications.create({ to: "ann", type: "welcome" });
  void notifications.tenant("acme").create({ to: "ann", type: "welcome", data: { any: "thing" } });
  // @ts-expect-error There is no such type.
  void notifications.create({ to: "ann", type: "order_updated", data: { related_order_id: 1 } });
  // @ts-expect-error The order's number is a number.
  void notifications.create({ to: "ann", type: "order_update", data: { related_order_id: "1" } });
  // @ts-expect-error The data is required.
  void notifications.create({ to: "ann", type: "order_update" });
  // @ts-expect-error One of the declared types has to be named.
  void notifications.create({ to: "ann" });
});

test("what is sent is typed the same way", async () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  void notifications.send({ to: "ann", type: "order_update", data: { related_order_id: 1 }, channel: "email", fallback: { afterMs: 1 } });
  // @ts-expect-error There is no such type.
  void notifications.send({ to: "ann", type: "order_updated" });
  // @ts-expect-error The data is required.
  void notifications.send({ to: "ann", type: "order_update" });
  const untyped = new NotificationService({ storage: asynchronous });
  void untyped.send({ to: "ann", content: "any type" });
  const batch = await untyped.prepareSend({ to: "ann" });
  expectTypeOf(batch.write({ handle: "async" })).toEqualTypeOf<Promise<void>>();
  // @ts-expect-error Somebody has to get it.
  void untyped.send({ content: "x" });
});

test("the storage carries the type of its transactions", async () => {
  const sync = new NotificationService({ storage: synchronous, types });
  const async = new NotificationService({ storage: asynchronous });
  const batch = await sync.prepare({ to: "ann", type: "welcome" });
  expectTypeOf(batch.write({ handle: "sync" })).toEqualTypeOf<void>();
  // @ts-expect-error The handle is another storage's.
  batch.write({ handle: "async" });
  const awaited = await async.prepare({ to: "ann" });
  expectTypeOf(awaited.write({ handle: "async" })).toEqualTypeOf<Promise<void>>();
  void async.create({ to: "ann" }, { tx: { handle: "async" } });
  // @ts-expect-error The handle is another storage's.
  void async.create({ to: "ann" }, { tx: { handle: "sync" } });
});

test("listeners get the event they named", () => {
  const notifications = new NotificationService({ storage: synchronous });
  notifications.on("notification.created", (event) => expectTypeOf(event.type).toEqualTypeOf<string>());
  notifications.on("item.read", (event) => expectTypeOf(event.item.readAt).toEqualTypeOf<Date | null>());
  // @ts-expect-error There is no such event.
  notifications.on("item.created", () => {});
});
