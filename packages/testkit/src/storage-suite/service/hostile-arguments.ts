import { BelfryError, type Channel, NotificationService } from "@belfry/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { StorageHarness, StorageSubject } from "../harness.ts";

/** Arguments that nobody should pass, and that a host without TypeScript passes all the same. */
export const HOSTILE: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a number", 7],
  ["not a number", Number.NaN],
  ["an empty text", ""],
  ["a text", "x"],
  ["true", true],
  ["a symbol", Symbol("x")],
  ["a bigint", 7n],
  ["an array", []],
  ["an array of nothing", [undefined, null]],
  ["a function", () => undefined],
  ["a Date", new Date(0)],
  ["a Promise", Promise.resolve({})],
  [
    "an instance of a class",
    new (class Stranger {
      readonly secret = 1;
    })(),
  ],
  ["an empty object", {}],
  ["an object without a prototype", Object.create(null)],
  ["an object of objects", { to: {}, id: {}, limit: {}, tx: {}, seq: {}, from: {}, type: {}, actor: {}, name: {} }],
];

const ID = "01890000-0000-7000-8000-000000000000";
const FORM = { name: "rows", make: ({ items }: { readonly items: readonly unknown[] }) => items.length, bytesOf: () => 8 };
const LISTENER = { onEvent() {}, onState() {}, onSettled() {} };

const post: Channel = {
  name: "post",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: "post" }),
};

type Calls = Readonly<Record<string, readonly unknown[]>>;

const TENANT_CALLS: Calls = {
  create: [{ to: "ann", title: "Hello" }, {}],
  prepare: [{ to: "ann", title: "Hello" }],
  createUntyped: [{ to: "ann", title: "Hello" }],
  inbox: ["ann"],
  channels: [],
  get: [ID],
  list: [{ limit: 10, createdAfter: new Date(0) }],
  deliveries: [ID, { limit: 10 }],
  firstDeliveries: [[ID], 10],
  timeline: [ID],
  explain: ["ann", "note", { at: new Date(0), data: { size: 1 }, priority: "high", topic: "post:7", group: "thread" }],
  update: [ID, { title: "Hello" }, { actor: "ann" }],
  updateFromContract: [ID, { title: "Hello" }, { actor: "ann" }],
  cancel: [ID, { actor: "ann" }],
  retry: [ID, { actor: "ann" }],
  analytics: [{ from: new Date(0) }],
  deleteFromContract: [ID, { actor: "ann" }],
  delete: [ID, { actor: "ann" }],
  deleteUser: ["ann", { addresses: ["ann@example.com"], actor: "bea" }],
  exportUser: ["ann", { addresses: ["ann@example.com"], actor: "bea" }],
  trackFromContract: [{ to: { post: "ann" }, title: "Hello" }],
  createFromContract: [{ to: "ann", title: "Hello" }],
  latest: [10],
};

/** Every method of every object that hosts get, with good arguments. One that is left out fails the test. */
const CALLS: Readonly<Record<string, { of(service: NotificationService): object; readonly calls: Calls }>> = {
  service: {
    of: (service) => service,
    calls: {
      ...TENANT_CALLS,
      tenant: ["acme"],
      on: ["item.read", () => undefined],
      start: [],
      stop: [],
      retire: [],
      readiness: [],
      runDue: [],
      sweep: [],
      workers: [],
      renewEpochs: [],
    },
  },
  tenant: {
    of: (service) => service.tenant("acme"),
    calls: {
      ...TENANT_CALLS,
    },
  },
  inbox: {
    of: (service) => service.inbox("ann"),
    calls: {
      activeOnly: [],
      withKey: ["change-1"],
      mayLag: [{ since: { seq: 0, epoch: "e", rev: 0 } }],
      list: [{ limit: 10 }],
      get: [{ seq: 1 }],
      listStored: [{ limit: 10 }],
      listAs: [FORM, { limit: 10 }],
      markRead: [{ seq: 1 }],
      acknowledge: [ID],
      markManyRead: [[ID]],
      ...{
        markUnread: [ID],
        markSeen: [ID],
        markUnseen: [{ seq: 1 }],
        pin: [ID],
        unpin: [{ seq: 1 }],
        archive: [ID],
        unarchive: [ID],
        wake: [ID],
      },
      snooze: [ID, "2099-01-01T00:00:00Z"],
      snoozeMany: [[ID], "2099-01-01T00:00:00Z"],
      markMany: [[ID], "seen"],
      markAllSeen: [{ filter: { types: ["note"] }, upTo: 3 }],
      markAllRead: [{ filter: { types: ["note"] }, upTo: 3 }],
      archiveAll: [{ filter: { types: ["note"] }, upTo: 3 }],
      remove: [{ seq: 1 }],
      removeMany: [[ID]],
      removeRead: [],
      groups: [{ status: "unread", limit: 10 }],
      group: ["post:7"],
      counts: [{ filters: [{ types: ["note"] }] }],
      top: [{ locale: "de" }],
      readCounts: [],
      readUnread: [],
      readVersion: [],
      subscribe: [LISTENER, { seq: 0, epoch: "e" }, { locale: "de" }],
    },
  },
  "inbox.mayLag": {
    of: (service) => service.inbox("ann").mayLag(),
    calls: {
      list: [{ limit: 10 }],
      top: [{ locale: "de" }],
      groups: [{ status: "unread", limit: 10 }],
      counts: [{ filters: [{ types: ["note"] }] }],
    },
  },
  "inbox.group": {
    of: (service) => service.inbox("ann").group("post:7"),
    calls: { mark: ["read", { upTo: 3 }], snooze: ["2099-01-01T00:00:00Z", { upTo: 3 }], remove: [{ upTo: 3 }] },
  },
  preferences: {
    of: (service) => service.preferences,
    calls: {
      set: ["ann", { type: "note", channel: "post" }, "on"],
      takeBack: ["ann", { type: "note" }],
      mute: ["ann", { topic: "post:7" }],
      unmute: ["ann", { topic: "post:7" }],
      setSettings: ["ann", { timeZone: "UTC", quietHours: { from: "22:00", to: "07:00" } }],
      list: ["ann"],
    },
  },
  "preferences.defaults": {
    of: (service) => service.preferences.defaults,
    calls: {
      set: [{ type: "note", channel: "post" }, "on"],
      takeBack: [{ type: "note" }],
      setSettings: [{ timeZone: "UTC", digest: { at: "09:00" } }],
      list: [],
    },
  },
  devices: {
    of: (service) => service.devices,
    calls: { register: ["ann", { platform: "fcm", token: "token" }], list: ["ann"], remove: ["ann", ID], webPushKey: [] },
  },
  suppressions: {
    of: (service) => service.suppressions,
    calls: {
      list: [{ prefix: "ann", channel: "email", reason: "manual", limit: 10 }],
      get: ["email", "ann@example.com"],
      add: [{ channel: "email", address: "ann@example.com", reason: "manual", detail: "said so", actor: "ann" }],
      lift: ["email", "ann@example.com", { actor: "ann" }],
    },
  },
  receipts: {
    of: (service) => service.receipts,
    calls: {
      record: [
        {
          kind: "hard_bounce",
          messageId: ID,
          address: "ann@example.com",
          channel: "email",
          provider: "ses",
          detail: "no",
          at: new Date(0),
        },
      ],
    },
  },
  receiptsOfAll: {
    of: (service) => service.receiptsOfAll,
    calls: { record: [{ kind: "complaint", messageId: ID, address: "ann@example.com" }] },
  },
  "hub.events": {
    of: (service) => service.hub.events,
    calls: {
      create: [{ source: "a", sender: "b", content: "c" }],
      get: [ID],
      list: [{ source: "a" }],
      records: [ID],
      acknowledge: [ID, "client"],
      subscribe: ["a", LISTENER],
    },
  },
  "hub.handlers": {
    of: (service) => service.hub.handlers,
    calls: { create: [{ source: "a", prompt: "b" }], get: [ID], list: [{ source: "a" }], update: [ID, { prompt: "c" }], remove: [ID] },
  },
  "hub.identities": {
    of: (service) => service.hub.identities,
    calls: { upsert: [{ source: "a", sourceId: "b", name: "c" }], get: [ID], getBySource: ["a", "b"], remove: [ID], list: [{ name: "c" }] },
  },
  "operator.endpoints": {
    of: (service) => service.operator.endpoints,
    calls: {
      failing: [{ channel: "post" }],
      tryOne: [{ channel: "post", recipient: "ann", actor: "ann" }],
      resume: [{ channel: "post", recipient: "ann", actor: "ann" }],
    },
  },
  "operator.pauses": {
    of: (service) => service.operator.pauses,
    calls: {
      list: [],
      pause: [{ channel: "post", recipient: "ann", detail: "said so", actor: "ann" }],
      resume: [{ channel: "post", recipient: "ann", actor: "ann" }],
    },
  },
  "operator.retries": {
    of: (service) => service.operator.retries,
    calls: {
      start: [{ channel: "post" }, { actor: "ann" }],
      list: [{ limit: 10 }],
      get: [ID],
      pause: [ID, { actor: "ann" }],
      resume: [ID, { actor: "ann" }],
      cancel: [ID, { actor: "ann" }],
    },
  },
  "operator.records": {
    of: (service) => service.operator.records,
    calls: { search: [{ state: "failed" }], retry: [ID, { actor: "ann" }] },
  },
  "operator.deliveries": {
    of: (service) => service.operator.deliveries,
    calls: { of: [ID, { limit: 10 }], to: ["ann", { isFailing: true }], preview: [ID], addressesOf: ["ann"] },
  },
  operator: {
    of: (service) => service.operator,
    calls: {
      search: [{ type: "note" }],
      count: [{ type: "note" }],
      recipients: ["an", { limit: 5 }],
      timeline: [ID, { deliveries: 10 }],
      health: ["1h"],
      backlog: [],
      alarms: [],
      work: ["1h"],
      countRetryable: [{ channel: "post" }],
      retryAll: [{ channel: "post" }, { limit: 10 }],
      retry: [ID, { actor: "ann" }],
      sendTest: [{ channel: "post", to: "ann", actor: "bea" }],
      note: [{ action: "read", notificationId: ID }],
      auditLog: [{ limit: 10, actor: "ann", targetKind: "user" }],
    },
  },
  database: {
    of: (service) => service.database,
    calls: { inspect: [], migrations: [], migrate: [{ cleanup: false }], partition: [{ deliveries: 10_000 }] },
  },
  apiKeys: {
    of: (service) => service.apiKeys,
    calls: { create: [{ name: "billing" }], list: ["acme"], revoke: [ID, "acme"] },
  },
};

/** Calls a method, and returns what it threw or rejected with; null when it went well. Subscriptions are closed again. */
async function failureOf(object: object, method: string, args: readonly unknown[]): Promise<unknown> {
  try {
    const result: unknown = await (object as Record<string, (...given: readonly unknown[]) => unknown>)[method]?.(...args);
    (result as { close?: () => void } | null | undefined)?.close?.();
    return null;
  } catch (error) {
    return error;
  }
}

/** The names of an object's methods, those of its classes, in order. */
function methodsOf(object: object): readonly string[] {
  const names = new Set<string>();
  for (let at: unknown = Object.getPrototypeOf(object); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== "constructor" && typeof value === "function") {
        names.add(name);
      }
    }
  }
  return [...names].sort();
}

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && value !== LISTENER && value !== FORM;

/** No call of the public API throws a raw error, and none ignores a member that it does not know. */
export function hostileArgumentTests(harness: StorageHarness): void {
  describe("hostile arguments", () => {
    let subject: StorageSubject;
    let service: NotificationService;

    beforeAll(async () => {
      subject = await harness.create();
      service = new NotificationService({
        storage: subject.storage,
        channels: [post],
        delivery: { worker: false },
        hub: { worker: false },
      });
      await service.start();
    });
    afterAll(async () => {
      await service.stop();
      await subject.dispose();
    });

    describe.each(Object.entries(CALLS))("%s", (_, { of, calls }) => {
      const taking = Object.entries(calls).filter(([, args]) => args.length > 0);

      test("every method is in the table", () => {
        expect(Object.keys(calls).sort()).toEqual(methodsOf(of(service)));
      });

      test.each(taking)("%s says in words what is wrong with an argument", async (method, args) => {
        const object = of(service);
        const good = await failureOf(object, method, args);
        expect(good === null || (good instanceof BelfryError && good.code === "NOT_FOUND"), String(good)).toBe(true);
        for (const [position] of args.entries()) {
          for (const [name, value] of HOSTILE) {
            const failure = await failureOf(object, method, args.with(position, value));
            expect(failure === null || failure instanceof BelfryError, `${name} as argument ${position}: ${String(failure)}`).toBe(true);
            expect((failure as BelfryError | null)?.code ?? "", `${name} as argument ${position}`).not.toMatch(/^STORAGE_/);
          }
        }
      });

      test.each(taking.filter(([, args]) => args.some(isPlainObject)))(
        "%s refuses a member that it does not know",
        async (method, args) => {
          for (const [position, value] of args.entries()) {
            if (isPlainObject(value)) {
              const failure = await failureOf(of(service), method, args.with(position, { ...value, idempotencykey: "k" }));
              expect(failure).toMatchObject({
                code: "VALIDATION_ERROR",
                message: expect.stringMatching(/ takes \w+.*; got "idempotencykey"/),
              });
            }
          }
        },
      );
    });

    test.each(HOSTILE)("write() refuses %s as a transaction", async (_, value) => {
      const batch = await service.prepare({ to: "ann", title: "Hello" });
      const sent = await service.prepare({ to: "ann", channels: ["post"], title: "Hello" });
      for (const prepared of [batch, sent]) {
        expect(await failureOf(prepared, "write", [value])).toMatchObject({ name: "BelfryError", code: "WRONG_TRANSACTION" });
      }
      expect(await failureOf(service.inbox("ann"), "get", [batch.notification.id])).toMatchObject({ code: "NOT_FOUND" });
    });

    test("a transaction that is not named tx is refused, whatever it is, and nothing is written", async () => {
      const before = (await service.inbox("bob").counts()).total;
      await subject.transaction((tx) => {
        for (const options of [tx, { transaction: tx }]) {
          refused.push(failureOf(service, "create", [{ to: "bob", title: "Hello" }, options]));
        }
      });
      for (const failure of await Promise.all(refused)) {
        expect(failure).toMatchObject({
          code: "VALIDATION_ERROR",
          message: expect.stringMatching(/the second argument of create takes (an object of )?tx; got /),
        });
      }
      expect((await service.inbox("bob").counts()).total).toBe(before);
    });
    const refused: Promise<unknown>[] = [];

    test("lookup of an API key finds nothing for what is no key", async () => {
      for (const [, value] of HOSTILE) {
        expect(await service.apiKeys.lookup(value as string)).toBeNull();
      }
    });
  });
}
