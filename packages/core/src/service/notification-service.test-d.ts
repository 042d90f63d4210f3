import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { Channel, DeliveryOutcome, DeliveryTask } from "../delivery/index.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { ContractService } from "../http/route.ts";
import type { HandlerResult } from "../hub/processor.ts";
import type { InboxItem } from "../inbox/index.ts";
import type { CreateInput, CreateInputWithData, CreateInputWithOptionalData, TopicInputWithData } from "../notifications/create-input.ts";
import { type DataOf, defineTypes, type MadeOf, type Typed } from "../notifications/notification-types.ts";
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
  void notifications.create({ to: "ann", priority: "high" });
  // @ts-expect-error there is no such priority
  void notifications.create({ to: "ann", priority: "dire" });
  void notifications.create({ to: [{ email: "ann@example.com" }, "bob"], except: "bob", channels: ["email"], url: "/", actor: "eve" });
  // @ts-expect-error An address is a text.
  void notifications.create({ to: { email: 7 } });
  // @ts-expect-error That was the name before.
  void notifications.create({ to: "ann", sender: "eve" });
  void notifications.create({ to: ["ann", "bob"], type: "anything", data: { a: [1, null, { b: "c" }] } });
  // @ts-expect-error Somebody has to get it.
  void notifications.create({ type: "anything" });
  void notifications.create({ topic: "post:7" });
  void notifications.create({ topic: ["post:7", "news"], to: ["ann", { email: "ann@example.com" }], except: "bob" });
  // @ts-expect-error A topic is a text.
  void notifications.create({ topic: 7 });
  void notifications.create({ to: "everyone", except: ["bob"], standing: true, expiresAt: new Date() });
  // @ts-expect-error It is true or false.
  void notifications.create({ to: "everyone", standing: "yes" });
  // @ts-expect-error A function is no JSON.
  void notifications.create({ to: "ann", data: { a: () => 1 } });
});

test("explain takes the declared types", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  expectTypeOf(notifications.explain("ann", "welcome", { data: { any: 1 } })).resolves.toExtend<readonly { readonly channel: string }[]>();
  // @ts-expect-error There is no such type.
  void notifications.explain("ann", "goodbye");
  // @ts-expect-error It is data.
  void notifications.explain("ann", "welcome", { meta: {} });
});

test("with declared types an unknown type or wrong data does not compile", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  void notifications.create({ to: "ann", type: "order_update", data: { related_order_id: 1 } });
  void notifications.create({ to: "ann", type: "welcome" });
  void notifications.tenant("acme").create({ to: "ann", type: "welcome", data: { any: "thing" } });
  void notifications.create({ topic: "post:7", type: "order_update", data: { related_order_id: 1 } });
  // @ts-expect-error The type requires other data, for topics too.
  void notifications.create({ topic: "post:7", type: "order_update", data: { related_order_id: "1" } });
  void notifications.create({ to: "everyone", type: "order_update", data: { related_order_id: 1 } });
  // @ts-expect-error The type requires other data, for everyone too.
  void notifications.create({ to: "everyone", type: "order_update", data: { related_order_id: "1" } });
  // @ts-expect-error There is no such type.
  void notifications.create({ to: "ann", type: "order_updated", data: { related_order_id: 1 } });
  // @ts-expect-error The order's number is a number.
  void notifications.create({ to: "ann", type: "order_update", data: { related_order_id: "1" } });
  // @ts-expect-error The data is required.
  void notifications.create({ to: "ann", type: "order_update" });
  // @ts-expect-error One of the declared types has to be named.
  void notifications.create({ to: "ann" });
});

test("a service names its data by type, not its schemas", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  type Data = { order_update: { related_order_id: number }; welcome: unknown };
  expectTypeOf(notifications).toEqualTypeOf<NotificationService<Data, { readonly handle: "sync" }, void>>();
  expectTypeOf<DataOf<typeof types>>().toEqualTypeOf<Data>();
  const inline = new NotificationService({ storage: synchronous, types: { comment: { data: z.object({ post: z.number() }) } } });
  void inline.create({ to: "ann", type: "comment", data: { post: 7 } });
});

test("a call with a type has that type's input, and one without it the names to choose from", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  expectTypeOf(notifications.create<"order_update">)
    .parameter(0)
    .toEqualTypeOf<
      CreateInputWithData<"order_update", { related_order_id: number }> | TopicInputWithData<"order_update", { related_order_id: number }>
    >();
  expectTypeOf<CreateInput<DataOf<typeof types>, never>["type"]>().toEqualTypeOf<"order_update" | "welcome">();
  // @ts-expect-error A type is missing, whatever the data.
  void notifications.create({ to: "ann", data: { related_order_id: 1 } });
  // @ts-expect-error A type is missing, whatever the channels.
  void notifications.create({ to: "ann", message: "Hello", channels: ["email"] });
});

test("a type that is only known as one of several needs the data of each", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  const of = (type: "order_update" | "welcome", input: CreateInput<DataOf<typeof types>>) => {
    void notifications.create({ to: "ann", type, data: { related_order_id: 1 } });
    // @ts-expect-error It may be the order's.
    void notifications.create({ to: "ann", type });
    // @ts-expect-error It may be the order's.
    void notifications.create({ to: "ann", type, data: { any: "thing" } });
    void notifications.create(input);
  };
  expectTypeOf(of).returns.toEqualTypeOf<void>();
});

test("data is optional if the schema accepts undefined, and has the type of the schema's input, not its output", () => {
  const notifications = new NotificationService({
    storage: synchronous,
    types: {
      hint: { data: z.object({ page: z.string() }).optional() },
      digest: { data: z.object({ size: z.number() }).default({ size: 10 }) },
      visit: { data: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }) },
    },
  });
  void notifications.create({ to: "ann", type: "hint" });
  void notifications.create({ to: "ann", type: "hint", data: { page: "home" } });
  void notifications.create({ to: "ann", type: "digest" });
  void notifications.create({ to: "ann", type: "visit", data: { at: "2026-01-02T03:04:05Z" } });
  // @ts-expect-error The page is a text.
  void notifications.create({ to: "ann", type: "hint", data: { page: 1 } });
  // @ts-expect-error A date is what the schema makes.
  void notifications.create({ to: "ann", type: "visit", data: { at: new Date(0) } });
  expectTypeOf<CreateInput<{ hint: { page: string } | undefined }, "hint">>().toEqualTypeOf<
    CreateInputWithOptionalData<"hint", { page: string } | undefined>
  >();
});

test("a function can name the service that it takes", () => {
  const notifications = new NotificationService({ storage: synchronous, types });
  type Notifications = typeof notifications;
  const welcome = (service: Notifications) => void service.create({ to: "ann", type: "welcome" });
  const unread = (service: Pick<NotificationService, "inbox">) => service.inbox("ann").counts();
  const createAny = (service: NotificationService) => void service.create({ to: "ann", type: "anything" });
  welcome(notifications);
  void unread(notifications);
  createAny(new NotificationService({ storage: synchronous }));
  // @ts-expect-error It would create a type that is not declared.
  createAny(notifications);
});

test("creates in onResult are typed the same way", () => {
  const onResult = ({ text, create }: HandlerResult<DataOf<typeof types>>) =>
    void create({ to: "ann", type: "order_update", title: text, data: { related_order_id: 1 } });
  new NotificationService({ storage: synchronous, types, hub: { onResult } });
  new NotificationService({
    storage: synchronous,
    types,
    // @ts-expect-error There is no such type.
    hub: { onResult: (result) => void result.create({ to: "ann", type: "order_updated" }) },
  });
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

test("a transaction is no option of create where the driver is synchronous", () => {
  const sync = new NotificationService({ storage: synchronous });
  const async = new NotificationService({ storage: asynchronous });
  void async.tenant("acme").create({ to: "ann" }, { tx: { handle: "async" } });
  // @ts-expect-error The transaction would be over before the write.
  void sync.create({ to: "ann" }, { tx: { handle: "sync" } });
  // @ts-expect-error The transaction would be over before the write.
  void sync.tenant("acme").create({ to: "ann" }, { tx: { handle: "sync" } });
});

test("a storage that is chosen at run time is named Storage", async () => {
  const either = (isTest: boolean) => {
    const storage: Storage = isTest ? synchronous : asynchronous;
    return new NotificationService({ storage, types });
  };
  const batch = await either(true).prepare({ to: "ann", type: "welcome" });
  expectTypeOf(batch.write).returns.toEqualTypeOf<void | Promise<void>>();
});

test("listeners get the event they named", () => {
  const notifications = new NotificationService({ storage: synchronous });
  notifications.on("notification.created", (event) => expectTypeOf(event.type).toEqualTypeOf<string>());
  notifications.on("item.read", (event) => expectTypeOf(event.item.readAt).toEqualTypeOf<Date | null>());
  notifications.on("item.archived", (event) => expectTypeOf(event.item.archivedAt).toEqualTypeOf<Date | null>());
  expectTypeOf(notifications.inbox("ann").markMany).parameter(1).extract<"unseen" | "deleted">().toEqualTypeOf<"unseen">();
  // @ts-expect-error There is no such event.
  notifications.on("item.created", () => {});
});

test("a channel says of a failure alone that nobody is at the address", () => {
  const failure = { status: "failed", transient: false, error: "refused", provider: "smtp" } as const;
  expectTypeOf({ ...failure, isHardBounce: true } as const).toExtend<DeliveryOutcome>();
  // @ts-expect-error It is true or false.
  const text: DeliveryOutcome = { ...failure, isHardBounce: "yes" };
  // @ts-expect-error What went out has not bounced yet.
  const sent: DeliveryOutcome = { status: "sent", provider: "smtp", isHardBounce: true };
  void [text, sent];
});

test("items, events and the tasks of channels have the data of their declared type, as JSON gives it back", () => {
  const visits = defineTypes({
    visit: { data: z.object({ at: z.iso.datetime().transform((text) => new Date(text)), page: z.string().optional() }) },
    order_update: types.order_update,
    welcome: {},
  });
  const page: Channel<Typed<DeliveryTask, MadeOf<typeof visits>>> = {
    name: "page",
    retryDelaysMs: [],
    timeoutMs: 1_000,
    invalidRecipient: () => null,
    async deliver(task) {
      if (task.type === "order_update") {
        expectTypeOf(task.data.related_order_id).toExtend<number>();
      }
      return { status: "sent", provider: "page" };
    },
  };
  const notifications = new NotificationService({ storage: synchronous, types: visits, channels: [page] });
  const inbox = notifications.tenant("acme").inbox("ann");
  const shown = (item: Awaited<ReturnType<typeof inbox.get>>): string | number | undefined => {
    switch (item.type) {
      case "order_update":
        return item.data.related_order_id;
      case "visit":
        expectTypeOf(item.data.at).toExtend<string>();
        return item.data.page;
      default:
        expectTypeOf(item.type).toEqualTypeOf<"welcome">();
        expectTypeOf(item.data).toEqualTypeOf<JsonObject>();
        return item.title;
    }
  };
  void inbox.list().then(({ items }) => items.map(shown));
  void inbox.acknowledge("id").then(({ item }) => shown(item));
  inbox.subscribe({ onEvent: ({ item }) => void (item && shown(item)), onState: () => {} });
  notifications.on("item.read", ({ item }) => void shown(item));
  notifications.on("notification.created", (event) => {
    if (event.type === "order_update") {
      expectTypeOf(event.notification.data.related_order_id).toExtend<number>();
    }
  });
  // @ts-expect-error There is no such type.
  void inbox.list().then(({ items }) => items.filter(({ type }) => type === "comment"));
});

test("without declared types data is any JSON object, and a service with types serves whoever takes one without", () => {
  const untyped = new NotificationService({ storage: synchronous });
  void untyped
    .inbox("ann")
    .list()
    .then(({ items }) => expectTypeOf(items).toEqualTypeOf<readonly InboxItem[]>());
  const contracts = (service: ContractService) => service;
  contracts(new NotificationService({ storage: synchronous, types }));
  contracts(untyped);
});
