import { foldCase } from "../foundation/fold-case.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { HubPage, HubRange, Identity } from "../hub/index.ts";
import { keepData } from "./memory-notification.ts";
import { page } from "./memory-page.ts";

/** The identities of one memory storage. */
export class MemoryIdentities {
  readonly #identities = new Map<string, Identity>();
  readonly #idBySource = new Map<string, string>();

  upsert({ metadata, ...given }: Omit<Identity, "metadata"> & { readonly metadata: JsonObject | null }): {
    readonly identity: Identity;
    readonly isNew: boolean;
  } {
    const key = sourceKey(given.tenant, given.source, given.sourceId);
    const known = this.#identities.get(this.#idBySource.get(key) ?? "");
    const kept = metadata === null ? (known?.metadata ?? {}) : keepData(metadata);
    const identity = known ? { ...known, name: given.name, metadata: kept, updatedAt: given.updatedAt } : { ...given, metadata: kept };
    this.#identities.set(identity.id, identity);
    this.#idBySource.set(key, identity.id);
    return { identity, isNew: known === undefined };
  }

  find(tenant: string, id: string): Identity | null {
    const identity = this.#identities.get(id.toLowerCase());
    return identity?.tenant === tenant ? identity : null;
  }

  findBySource(tenant: string, source: string, sourceId: string): Identity | null {
    return this.#identities.get(this.#idBySource.get(sourceKey(tenant, source, sourceId)) ?? "") ?? null;
  }

  list(tenant: string, query: HubRange & { readonly name?: string; readonly source?: string }): HubPage<Identity> {
    const part = foldCase(query.name ?? "");
    const matching = [...this.#identities.values()].filter(
      (one) => one.tenant === tenant && (query.source ?? one.source) === one.source && foldCase(one.name).includes(part),
    );
    return page(
      matching.toSorted((left, right) => (left.id < right.id ? 1 : -1)),
      query,
    );
  }
}

function sourceKey(tenant: string, source: string, sourceId: string): string {
  return JSON.stringify([tenant, source, sourceId]);
}
