import type { ChainSelection, Delivery, LoadedSend, Send } from "../delivery/index.ts";
import type { MemorySend } from "./memory-send.ts";
import type { MemoryTenants } from "./memory-tenants.ts";

/** The sends of a memory storage, and those of their deliveries that are not settled: what workers look for. */
export class MemorySends {
  readonly #tenants: MemoryTenants;
  readonly #sends = new Map<string, MemorySend>();
  /** By the id of a delivery that is pending or waits. */
  readonly #open = new Map<string, MemorySend>();

  constructor(tenants: MemoryTenants) {
    this.#tenants = tenants;
  }

  add(send: MemorySend): void {
    this.#sends.set(send.id, send);
    for (const delivery of send.deliveries) {
      this.#track(send, delivery);
    }
  }

  remove(send: MemorySend): void {
    this.#sends.delete(send.id);
    for (const delivery of send.deliveries) {
      this.#open.delete(delivery.id);
    }
  }

  get(id: string): MemorySend | undefined {
    return this.#sends.get(id);
  }

  replace(delivery: Delivery): void {
    const send = this.#sends.get(delivery.notificationId);
    if (send) {
      send.replace(delivery);
      this.#track(send, delivery);
    }
  }

  open(): Iterable<[deliveryId: string, send: MemorySend]> {
    return this.#open;
  }

  openOne(deliveryId: string): Held | null {
    const send = this.#open.get(deliveryId);
    const delivery = send?.deliveries.find(({ id }) => id === deliveryId);
    return send && delivery ? { send, delivery } : null;
  }

  load(selection: ChainSelection, at: Date): readonly LoadedSend[] {
    return this.#selected(selection, at).flatMap(({ send, ids }) => {
      const { tenant } = send.kept.notification;
      const isRead = ({ channel, recipient }: Delivery) => channel === "inbox" && this.#tenants.of(tenant).isRead(send.kept, recipient);
      const wanted = (delivery: Delivery) =>
        (ids === null || ids.has(delivery.id)) && (selection.kind !== "inbox" || selection.ids !== null || isRead(delivery));
      return send.load(wanted, isRead) ?? [];
    });
  }

  /** The sends that a selection is about, and which of their deliveries; null for all. */
  #selected(selection: ChainSelection, at: Date): readonly { readonly send: MemorySend; readonly ids: ReadonlySet<string> | null }[] {
    switch (selection.kind) {
      case "send": {
        const send = this.find(selection.tenant, selection.id);
        return send ? [{ send, ids: null }] : [];
      }
      case "deliveries":
        return grouped(selection.ids.flatMap((id) => this.#holding(id)));
      case "inbox":
        return grouped(this.#inboxDeliveries(selection));
      case "waiting":
        return grouped(this.openInOrder((one) => one.status === "waiting" && isDue(one, at)).slice(0, selection.limit));
    }
  }

  #holding(id: string): readonly Held[] {
    for (const send of this.#open.has(id) ? [this.#open.get(id) as MemorySend] : this.#sends.values()) {
      const delivery = send.deliveries.find((one) => one.id === id);
      if (delivery) {
        return [{ send, delivery }];
      }
    }
    return [];
  }

  #inboxDeliveries({ owner, ids }: Extract<ChainSelection, { kind: "inbox" }>): readonly Held[] {
    const sends = ids === null ? [...this.#sends.values()] : ids.flatMap((id) => this.find(owner.tenant, id) ?? []);
    return sends.flatMap((send) =>
      send.deliveries
        .filter(
          ({ tenant, channel, recipient, status }) =>
            tenant === owner.tenant && channel === "inbox" && recipient === owner.userId && ["pending", "sent", "failed"].includes(status),
        )
        .map((delivery) => ({ send, delivery })),
    );
  }

  openInOrder(wanted: (delivery: Delivery) => boolean): readonly Held[] {
    const held = [...this.#open].flatMap(([id, send]) => {
      const delivery = send.deliveries.find((one) => one.id === id);
      return delivery && wanted(delivery) ? [{ send, delivery }] : [];
    });
    return held.sort((left, right) => (left.delivery.dueAt?.getTime() ?? 0) - (right.delivery.dueAt?.getTime() ?? 0));
  }

  #track(send: MemorySend, { id, status }: Delivery): void {
    if (status === "pending" || status === "waiting") {
      this.#open.set(id, send);
    } else {
      this.#open.delete(id);
    }
  }

  find(tenant: string, id: string): MemorySend | undefined {
    const send = this.#sends.get(id.toLowerCase());
    return send?.kept.notification.tenant === tenant ? send : undefined;
  }

  of(tenant: string): readonly Send[] {
    return this.ofTenant(tenant).map((send) => send.view());
  }

  ofTenant(tenant: string): readonly MemorySend[] {
    return [...this.#sends.values()].filter(({ kept }) => kept.notification.tenant === tenant);
  }
}

/** A delivery and its send. */
export interface Held {
  readonly send: MemorySend;
  readonly delivery: Delivery;
}

function grouped(held: readonly Held[]): readonly { readonly send: MemorySend; readonly ids: ReadonlySet<string> }[] {
  return [...Map.groupBy(held, ({ send }) => send)].map(([send, group]) => ({
    send,
    ids: new Set(group.map(({ delivery }) => delivery.id)),
  }));
}

function isDue({ dueAt }: Delivery, at: Date): boolean {
  return dueAt !== null && dueAt <= at;
}
