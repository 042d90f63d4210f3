import type { JsonObject } from "../foundation/json.ts";
import type { Handler, HubPage, HubRange } from "../hub/index.ts";
import { keepData } from "./memory-notification.ts";
import { page } from "./memory-page.ts";

/** The handlers of one memory storage, in the order of their creation. */
export class MemoryHandlers {
  readonly #handlers = new Map<string, Handler>();

  add(handler: Handler): void {
    this.#handlers.set(handler.id, { ...handler, filter: keepData(handler.filter) });
  }

  find(tenant: string, id: string): Handler | null {
    const handler = this.#handlers.get(id.toLowerCase());
    return handler?.tenant === tenant ? handler : null;
  }

  /** Those of a source, oldest first. */
  of(tenant: string, source: string): readonly Handler[] {
    return this.#all(tenant).filter((handler) => handler.source === source);
  }

  list(tenant: string, query: HubRange & { readonly source?: string }): HubPage<Handler> {
    return page(
      this.#all(tenant)
        .filter(({ source }) => (query.source ?? source) === source)
        .toReversed(),
      query,
    );
  }

  update(
    tenant: string,
    id: string,
    { at, filter, ...change }: { readonly source?: string; readonly prompt?: string; readonly filter?: JsonObject; readonly at: Date },
  ): Handler | null {
    const handler = this.find(tenant, id);
    if (handler === null) {
      return null;
    }
    const updated = { ...handler, ...change, ...(filter && { filter: keepData(filter) }), updatedAt: at };
    this.#handlers.set(handler.id, updated);
    return updated;
  }

  remove(tenant: string, id: string): boolean {
    return this.find(tenant, id) !== null && this.#handlers.delete(id.toLowerCase());
  }

  #all(tenant: string): readonly Handler[] {
    return [...this.#handlers.values()]
      .filter((handler) => handler.tenant === tenant)
      .toSorted((left, right) => (left.id < right.id ? -1 : 1));
  }
}
