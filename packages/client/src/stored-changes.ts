import type { Change } from "./change.ts";

/**
 * The changes that wait for the server, kept in the browser's local storage: a reload, or another tab, goes on with them. Each has a key of
 * its own, so that tabs do not overwrite each other's. Where there is no storage, or it is full, they are kept in memory alone.
 */
export class StoredChanges {
  readonly #prefix: string;

  /** @param name the name of the queue, which other users and servers do not have */
  constructor(name: string) {
    this.#prefix = `${name}:`;
  }

  /** Keeps a change. */
  put(change: Change): void {
    withStorage((storage) => storage.setItem(this.#prefix + change.id, JSON.stringify(change)));
  }

  remove(id: string): void {
    withStorage((storage) => storage.removeItem(this.#prefix + id));
  }

  /** All that are kept, in their order. */
  all(): readonly Change[] {
    const found: Change[] = [];
    withStorage((storage) => {
      for (const key of Object.keys(storage).filter((one) => one.startsWith(this.#prefix))) {
        found.push(JSON.parse(storage.getItem(key) ?? "null") as Change);
      }
    });
    return found.toSorted((one, other) => (one.id < other.id ? -1 : 1));
  }
}

function withStorage(use: (storage: Storage) => void): void {
  try {
    // Node has it only with a file to keep it in.
    if (typeof document !== "undefined") {
      use(localStorage);
    }
  } catch {
    // It is forbidden, or full, or holds what something else wrote: the change is in memory, and is sent from there.
  }
}
