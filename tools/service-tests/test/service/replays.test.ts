import { type InboxListener, NotificationService } from "@belfry/core";
import type { Storage } from "@belfry/core/storage";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const ITEMS = 60;
const ITEM_BYTES = 250_000;
const READERS = 40;
const WINDOW_BYTES = 256 * 1024;

/** Takes items until the window is full, and then no more before it is opened. */
class Reader implements InboxListener {
  readonly seqs: number[] = [];
  recovered: boolean | null = null;
  readonly #opened = Promise.withResolvers<void>();
  #isOpen = false;
  #unread = 0;

  onEvent({ seq }: { readonly seq: number }): void {
    this.seqs.push(seq);
    this.#unread += ITEM_BYTES;
  }

  onState(recovered: boolean): void {
    this.recovered = recovered;
  }

  writable(): Promise<void> | undefined {
    return this.#isOpen || this.#unread <= WINDOW_BYTES ? undefined : this.#opened.promise;
  }

  open(): void {
    this.#isOpen = true;
    this.#opened.resolve();
  }
}

/** Counts the items of pages that are being read or passed on: from the read to the turn after it. */
function watchPages({ inbox }: Storage) {
  const seen = { pages: 0, items: 0, readingAtOnce: 0 };
  let reading = 0;
  const listAfter = inbox.listAfter.bind(inbox);
  inbox.listAfter = async (...args: Parameters<typeof listAfter>) => {
    reading += 1;
    seen.readingAtOnce = Math.max(seen.readingAtOnce, reading);
    const tail = await listAfter(...args);
    reading -= 1;
    seen.pages += 1;
    seen.items += tail.items.length;
    return tail;
  };
  return seen;
}

onEveryStorage((database) => {
  test(`${READERS} readers that stall in a long replay hold no pages, and get everything once they read`, { timeout: 60_000 }, async () => {
    const storage = database.storage();
    const seen = watchPages(storage);
    const notifications = stopsAfterTest(new NotificationService({ storage, logger: silent }));
    for (let item = 0; item < ITEMS; item += 1) {
      await notifications.create({ to: "ann", data: { text: "a".repeat(ITEM_BYTES - 11) } });
    }
    const inbox = notifications.inbox("ann");
    const readers = Array.from({ length: READERS }, () => new Reader());
    const subscriptions = readers.map((reader) => inbox.subscribe(reader, { seq: 0, epoch: "0" }));
    await expect.poll(() => readers.every(({ seqs }) => seqs.length === 2), { timeout: 30_000 }).toBe(true);
    // Two items fill a page, and the window.
    expect([seen.pages, seen.items]).toEqual([READERS, 2 * READERS]);
    expect(seen.readingAtOnce).toBeLessThanOrEqual(4);
    for (const reader of readers.slice(0, 2)) {
      reader.open();
    }
    await Promise.all(subscriptions.slice(0, 2).map(({ ready }) => ready));
    const all = Array.from({ length: ITEMS }, (_, at) => at + 1);
    expect(readers.map(({ seqs, recovered }) => [seqs, recovered])).toEqual(
      readers.map((_, at) => (at < 2 ? [all, true] : [[1, 2], null])),
    );
    expect(seen.items).toBe(2 * ITEMS + 2 * (READERS - 2));
    for (const subscription of subscriptions) {
      subscription.close();
    }
    for (const reader of readers) {
      reader.open();
    }
  });

  test("a host's listener that answers with a promise each time reads each page once", async () => {
    const storage = database.storage();
    const seen = watchPages(storage);
    const notifications = stopsAfterTest(new NotificationService({ storage, logger: silent }));
    for (let item = 0; item < 50; item += 1) {
      await notifications.create({ to: "ann", title: `${item}` });
    }
    const seqs: number[] = [];
    const listener = { onEvent: ({ seq }: { readonly seq: number }) => void seqs.push(seq), onState() {}, writable: async () => {} };
    await notifications.inbox("ann").subscribe(listener, { seq: 0, epoch: "0" }).ready;
    expect([seqs, seen.pages]).toEqual([Array.from({ length: 50 }, (_, at) => at + 1), 1]);
  });
});
