import { type Clock, type CreatedItem, type InboxItem, type Notification, type Owner, uuidV7 } from "@belfry/core";
import type { InboxStorage, NewNotification, Storage } from "@belfry/core/storage";
import { afterAll, beforeAll, beforeEach } from "vitest";
import type { StorageHarness, StorageSubject } from "./harness.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** A time of the suite's own: the same in every run, in whole milliseconds, which every database keeps. */
export function at(second: number): Date {
  return new Date(START_MS + second * 1_000 + 7);
}

/** The order of the bytes of UTF-8, in which storages get recipients. */
export function sortBytewise(texts: readonly string[]): readonly string[] {
  return [...texts].sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
}

export function seqsOf(items: readonly { readonly seq: number }[]): readonly number[] {
  return items.map((item) => item.seq);
}

/** Whole numbers from `first` to `last`, up or down. */
export function range(first: number, last: number): readonly number[] {
  const step = first <= last ? 1 : -1;
  return Array.from({ length: Math.abs(last - first) + 1 }, (_, index) => first + index * step);
}

/** The inbox item that `notification` makes. */
export function itemOf(
  notification: Notification,
  { userId, seq, readAt = null, ...marks }: Pick<InboxItem, "userId" | "seq"> & Partial<InboxItem>,
): InboxItem {
  return { ...notification, userId, seq, readAt, isSeen: readAt !== null, pinnedAt: null, archivedAt: null, snoozedUntil: null, ...marks };
}

/** One storage for the tests of a describe block; each test has a tenant of its own in it. */
export class Fixture {
  #subject: StorageSubject | null = null;
  #reopened: Storage | null = null;
  #tenants = 0;
  #nowMs = START_MS;
  readonly #clock: Clock = { now: () => this.#nowMs, after: () => () => undefined };
  readonly #ids = uuidV7(this.#clock);

  get subject(): StorageSubject {
    if (!this.#subject) {
      throw new Error("The storage is there only while a test of the describe block runs.");
    }
    return this.#subject;
  }

  get storage(): Storage {
    return this.#reopened ?? this.subject.storage;
  }

  get inbox(): InboxStorage {
    return this.storage.inbox;
  }

  /** The tenant of the test at hand. */
  get tenant(): string {
    return `tenant ${this.#tenants}`;
  }

  async start(harness: StorageHarness): Promise<void> {
    this.#subject = await harness.create();
  }

  async stop(): Promise<void> {
    await this.#subject?.dispose();
    this.#subject = null;
    this.#reopened = null;
  }

  nextTenant(): void {
    this.#tenants += 1;
  }

  /** Starts the storage anew over the same data, if it can. */
  async reopen(): Promise<boolean> {
    const { subject } = this;
    if (!subject.reopen) {
      return false;
    }
    this.#reopened = await subject.reopen();
    return true;
  }

  owner(userId: string): Owner {
    return { tenant: this.tenant, userId };
  }

  /** A new id, greater than those before. */
  nextId(): string {
    return this.#ids.next();
  }

  /** A notification of the test's tenant that was not written yet, a second later than the one before. */
  entry(to: string | readonly string[], fields: Partial<Notification> = {}): NewNotification {
    this.#nowMs += 1_000;
    const notification: Notification = {
      id: this.#ids.next(),
      tenant: this.tenant,
      kind: "message",
      type: "note",
      title: "A title",
      message: "A message",
      data: {},
      source: null,
      actor: null,
      url: null,
      actions: null,
      priority: "high",
      rendered: null,
      category: null,
      group: null,
      replaceKey: null,
      createdAt: new Date(this.#nowMs),
      expiresAt: null,
      ...fields,
    };
    return { notification, recipients: sortBytewise(typeof to === "string" ? [to] : to) };
  }

  /** Writes one notification and returns it with where its items went. */
  async create(
    to: string | readonly string[],
    fields: Partial<Notification> = {},
  ): Promise<{ readonly notification: Notification; readonly items: readonly CreatedItem[] }> {
    const entry = this.entry(to, fields);
    const [items] = await this.inbox.createMany([entry]);
    return { notification: entry.notification, items: items ?? [] };
  }

  /** Writes `count` notifications for a user and returns them, oldest first: the one numbered 1 in a new inbox stands at 0. */
  async fill(userId: string, count: number, fields: Partial<Notification> = {}): Promise<readonly Notification[]> {
    const entries = Array.from({ length: count }, () => this.entry(userId, fields));
    await this.inbox.createMany(entries);
    return entries.map((entry) => entry.notification);
  }
}

/** Gives the tests of the enclosing describe block a fixture; the storage is opened before them and removed after them. */
export function useFixture(harness: StorageHarness): Fixture {
  const fixture = new Fixture();
  beforeAll(() => fixture.start(harness));
  beforeEach(() => fixture.nextTenant());
  afterAll(() => fixture.stop());
  return fixture;
}
