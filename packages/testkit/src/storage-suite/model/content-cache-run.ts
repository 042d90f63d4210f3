import {
  BelfryError,
  type Channel,
  defineTypes,
  type Inbox,
  type ItemMark,
  type ListForm,
  type ListInput,
  NotificationService,
  type StoredItem,
} from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import fc from "fast-check";
import { LogBook } from "../../http-suite/log-book.ts";
import type { Fixture } from "../fixture.ts";
import { choose, expectSame } from "./same.ts";

const USERS = ["ann", "bob", "cy"];
const MARKS = ["read", "unread", "seen", "unseen", "pinned", "unpinned", "archived", "unarchived"] as const satisfies readonly (
  | ItemMark
  | "read"
  | "unread"
)[];
const HOUR_MS = 60 * 60_000;

/** The lists that are asked for again and again. */
const LISTS: readonly ListInput[] = [
  {},
  { limit: 3 },
  { status: "unread", limit: 5 },
  { type: "note" },
  { roomId: "blue" },
  { types: ["told"], limit: 4 },
  { priority: "urgent" },
  { archived: true },
  { snoozed: true },
  { pinned: true },
  { locale: "de" },
  { limit: 2, offset: 2 },
];

/** What a contract makes of a list. */
const WRITTEN: ListForm<StoredItem, { readonly text: string }> = {
  name: "written",
  make: (list) => ({ text: JSON.stringify(list) }),
  bytesOf: ({ text }) => 2 * text.length,
};

const types = defineTypes({
  note: { label: "A note" },
  told: { label: "Told", title: ({ data, locale }) => `${locale} ${JSON.stringify(data)}`, channels: ["inbox", "post"] },
});

/** Never called: nobody delivers. */
const post: Channel = {
  name: "post",
  retryDelaysMs: [],
  timeoutMs: 1_000,
  invalidRecipient: () => null,
  deliver: async () => ({ status: "sent", provider: "post" }),
};

const users = fc.uniqueArray(fc.nat(USERS.length - 1), { minLength: 1 });
const data = fc.record({
  room_id: fc.constantFrom("blue", "red"),
  deep: fc.array(fc.record({ n: fc.constantFrom(0, -0, 1.5, 1e21) }), { maxLength: 2 }),
});
const whose = { user: fc.nat(USERS.length - 1) };
const one = { ...whose, item: fc.nat(20) };

/** One step; `by` is the process that takes it. */
const step = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant("create" as const), users, data, actor: fc.nat(USERS.length - 1), isTold: fc.boolean() }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant("mark" as const), ...one, mark: fc.constantFrom(...MARKS) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("snooze", "wake", "remove", "delete", "update"), ...one }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("markAllRead", "markAllSeen", "removeRead", "archiveAll"), ...whose }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("deleteUser", "everyone"), ...whose }) },
  { weight: 1, arbitrary: fc.record({ database: fc.constantFrom("backUp", "restore") }) },
);
type Step = typeof step extends fc.Arbitrary<infer Taken> ? Taken : never;

export type CacheStep = { readonly by: number; readonly step: Step };
export const cacheStep: fc.Arbitrary<CacheStep> = fc.record({ by: fc.nat(1), step });

/** What is asked after a step, of each process and for each user. */
export interface CacheLook {
  readonly list: number;
  readonly isWritten: boolean;
}
// The first lists come more often, so that they are there when something changes.
export const cacheLook: fc.Arbitrary<CacheLook> = fc.record({
  list: fc.oneof(fc.constant(0), fc.nat(1), fc.nat(LISTS.length - 1)),
  isWritten: fc.boolean(),
});

type Restore = () => Promise<void>;

/** Two processes with a content cache, one of them a small one, and a process without, over one database. */
export class ContentCacheRun {
  readonly #fixture: Fixture;
  readonly #tenant: string;
  #services: readonly NotificationService[] = [];
  #restore: Restore | null = null;

  constructor(fixture: Fixture, number: number) {
    this.#fixture = fixture;
    this.#tenant = `${fixture.tenant} ${number}`;
  }

  async start(): Promise<void> {
    const { subject } = this.#fixture;
    // A storage that one process alone can use is shared by them.
    const storages = await Promise.all([0, 1, 2].map(() => subject.another?.() ?? withoutClose(subject.storage)));
    this.#services = storages.map((storage, at) => serviceOf(storage, [30_000, 1_000_000, 0][at] as number));
    await Promise.all(this.#services.map((service) => service.start()));
  }

  async end(): Promise<void> {
    await Promise.all(this.#services.map((service) => service.stop()));
  }

  async apply({ by, step: taken }: CacheStep): Promise<void> {
    const service = this.#services[by] as NotificationService;
    if ("database" in taken) {
      await this.#backUpOrRestore(taken.database, service);
    } else {
      await applyTo(service.tenant(this.#tenant), taken);
    }
  }

  async #backUpOrRestore(verb: "backUp" | "restore", service: NotificationService): Promise<void> {
    if (verb === "backUp") {
      this.#restore = (await this.#fixture.subject.backUp?.()) ?? null;
      return;
    }
    await this.#restore?.();
    await service.renewEpochs();
  }

  /** Compares what each process says, twice, with what the one without a cache says. */
  async check(look: CacheLook): Promise<void> {
    for (const userId of USERS) {
      await this.#checkInbox(userId, look);
    }
  }

  async #checkInbox(userId: string, { list, isWritten }: CacheLook): Promise<void> {
    const inboxOf = (service: NotificationService): Inbox => service.tenant(this.#tenant).inbox(userId);
    const asked = (service: NotificationService) => {
      const { locale, ...input } = LISTS[list] as ListInput;
      return isWritten
        ? inboxOf(service).listAs(WRITTEN, input)
        : inboxOf(service).list({ ...input, ...(locale === undefined ? {} : { locale }) });
    };
    const [small, large, without] = this.#services as [NotificationService, NotificationService, NotificationService];
    await placed(inboxOf(without));
    const expected = await asked(without);
    for (const service of [small, large, small, large]) {
      const given = await asked(service);
      expectSame(given, expected);
      if (!isWritten) {
        spoil(given);
      }
    }
  }
}

/** Resolves once an inbox has what was sent to everyone: another process may hold it for a moment. */
async function placed(inbox: Inbox): Promise<void> {
  while ((await inbox.counts()).isBehind === true) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Changes what a caller got: the next one must not see it. */
function spoil(list: object): void {
  const { items } = list as { items: { title: string; data: Record<string, unknown>; createdAt: Date }[] };
  for (const item of items) {
    item.title = "spoiled";
    item.data.deep = "spoiled";
    item.createdAt.setTime(0);
  }
  items.pop();
}

type Tenant = ReturnType<NotificationService["tenant"]>;

async function applyTo(tenant: Tenant, taken: Exclude<Step, { readonly database: unknown }>): Promise<void> {
  if (taken.do === "create") {
    const to = taken.users.map((at) => choose(USERS, at) as string);
    const shared = {
      to,
      data: taken.data,
      actor: choose(USERS, taken.actor) as string,
      priority: taken.isTold ? "urgent" : "low",
    } as const;
    await tenant.create(taken.isTold ? { ...shared, type: "told" } : { ...shared, type: "note", title: "A note" });
    return;
  }
  const userId = choose(USERS, taken.user) as string;
  const inbox: Inbox = tenant.inbox(userId);
  if ("item" in taken) {
    const items = [
      ...(await inbox.list()).items,
      ...(await inbox.list({ archived: true })).items,
      ...(await inbox.list({ snoozed: true })).items,
    ];
    const item = choose(items, taken.item);
    if (item !== undefined) {
      await OF_ITEM[taken.do]({ tenant, inbox, id: item.id, mark: "mark" in taken ? taken.mark : "read" });
    }
    return;
  }
  await OF_INBOX[taken.do]({ tenant, inbox, userId });
}

interface OnItem {
  readonly tenant: Tenant;
  readonly inbox: Inbox;
  readonly id: string;
  readonly mark: (typeof MARKS)[number];
}

const OF_ITEM = {
  mark: ({ inbox, id, mark }: OnItem) => inbox.markMany([id], mark),
  snooze: ({ inbox, id }: OnItem) => inbox.snooze(id, new Date(Date.now() + HOUR_MS)).catch(refused),
  wake: ({ inbox, id }: OnItem) => inbox.markMany([id], "woken"),
  remove: ({ inbox, id }: OnItem) => inbox.removeMany([id]),
  delete: ({ tenant, id }: OnItem) => tenant.delete(id),
  // Only what has deliveries can be edited.
  update: ({ tenant, id }: OnItem) =>
    tenant.update(id, { title: `Edited ${Math.random()}`, data: { room_id: Math.random() < 0.5 ? "blue" : "red" } }).catch(refused),
} as const;

/** Not every item can be snoozed, nor every notification be edited. */
function refused(error: unknown): void {
  if (!(error instanceof BelfryError) || error.retryable) {
    throw error;
  }
}

type OnInbox = Pick<OnItem, "tenant" | "inbox"> & { readonly userId: string };

const OF_INBOX = {
  markAllRead: ({ inbox }: OnInbox) => inbox.markAllRead(),
  markAllSeen: ({ inbox }: OnInbox) => inbox.markAllSeen(),
  removeRead: ({ inbox }: OnInbox) => inbox.removeRead(),
  archiveAll: ({ inbox }: OnInbox) => inbox.archiveAll({ filter: { types: ["note"] } }),
  deleteUser: ({ tenant, userId }: OnInbox) => tenant.deleteUser(userId),
  everyone: ({ tenant }: OnInbox) => tenant.create({ to: "everyone", type: "note", title: "To everyone" }),
} as const;

function serviceOf(storage: Storage, contentCacheBytes: number): NotificationService {
  const worker = { worker: false };
  const service = new NotificationService({
    ...{ storage, types, channels: [post], delivery: worker, hub: worker, logger: new LogBook(), contentCacheBytes },
  });
  return service as unknown as NotificationService;
}

/** The storage for a service that must leave it open. */
function withoutClose(storage: Storage): Storage {
  return new Proxy(storage, { get: (of, name) => (name === "close" ? async () => undefined : Reflect.get(of, name, of)) });
}
