import type { Delivery, Owner, SendQuery } from "@belfry/core";
import type { ClaimedDelivery, DeliveryStorage, LoadedSend } from "@belfry/core/storage";
import { expect } from "vitest";
import type { Fixture } from "../fixture.ts";
import { exportAll } from "../steps.ts";
import { leasesOf, withoutKeys } from "./delivery-leases.ts";
import {
  chainsOf,
  claimedOf,
  type DeliveryModel,
  deliveryOf,
  type ModelSend,
  stateOf,
  statusOf,
  trackedOf,
  viewOf,
} from "./delivery-model.ts";
import { type DeliveryLook, SEND_CHANNELS, SEND_USERS, WORKERS } from "./delivery-operations.ts";
import { choose, expectSame } from "./same.ts";

const EVERYTHING = { sort: "created_at", offset: 0, limit: 10_000 } as const;
const LINES = 5;

/** Compares what a storage reads with what the model has. */
export class DeliveryChecks {
  readonly #fixture: Fixture;
  readonly #model: DeliveryModel;
  readonly #tenants: readonly string[];

  constructor(fixture: Fixture, model: DeliveryModel, tenants: readonly string[]) {
    this.#fixture = fixture;
    this.#model = model;
    this.#tenants = tenants;
  }

  /** Compares all sends with their deliveries, and what `look` names. */
  async check(look: DeliveryLook, now: Date): Promise<void> {
    await Promise.all([...this.#tenants.map((one) => this.#checkSends(one)), this.#checkOne(look, now)]);
  }

  #checkOne(look: DeliveryLook, now: Date): Promise<void> {
    const tenant = this.#tenants[look.tenant] ?? "";
    switch (look.at) {
      case "list":
        return this.#checkList(tenant, look);
      case "counts":
        return this.#checkCounts(tenant);
      case "audit":
        return this.#checkAudit(tenant);
      case "inbox":
        return this.#checkInbox(tenant, SEND_USERS[look.user] ?? "");
      case "leases":
        return this.#checkLeases(WORKERS[look.worker] ?? "", now);
      case "export":
        return this.#checkExport({ tenant, userId: SEND_USERS[look.user] ?? "" }, look.limit);
      case "loaded":
        return this.#checkLoaded(choose(this.#model.sends, look.send), now);
    }
  }

  get #storage(): DeliveryStorage {
    return this.#fixture.storage.deliveries;
  }

  async #checkSends(tenant: string): Promise<void> {
    const sends = this.#model.of(tenant);
    const ids = sends.map(({ notification }) => notification.id);
    const [listed, deliveries, last] = await Promise.all([
      this.#storage.listSends(tenant, EVERYTHING),
      this.#storage.deliveriesOf(tenant, ids, { offset: 0, limit: 1_000 }),
      this.#storage.findSend(tenant, ids.at(-1) ?? crypto.randomUUID()),
    ]);
    const views = sends.map(viewOf);
    expectSame(listed, { sends: views, total: views.length });
    expectSame(deliveries, sends.flatMap(trackedOf));
    expectSame(last, views.at(-1) ?? null);
  }

  async #checkList(tenant: string, { status, channel, user, sort, offset, limit }: DeliveryLook): Promise<void> {
    const recipient = SEND_USERS[user] ?? "";
    const filter = {
      ...(status === null ? { recipient } : { status }),
      ...(channel === null ? {} : { channel: SEND_CHANNELS[channel] ?? "" }),
    };
    const query: SendQuery = { ...filter, sort, offset, limit };
    const matching = this.#model
      .of(tenant)
      .filter((send) => status === null || statusOf(send) === status)
      .filter((send) => status !== null || send.deliveries.some((delivery) => delivery.recipient === recipient))
      .filter((send) => channel === null || send.written.channel === SEND_CHANNELS[channel])
      .map(viewOf);
    // Sends of the model are in the order of their creation.
    const inOrder = sort === "created_at" ? matching : matching.toReversed();
    if (sort === "status") {
      inOrder.sort((left, right) => Number(left.status > right.status) - Number(left.status < right.status));
    }
    expectSame(await this.#storage.listSends(tenant, query), {
      sends: inOrder.slice(offset, offset + limit),
      total: matching.length,
    });
  }

  async #checkCounts(tenant: string): Promise<void> {
    const sends = this.#model.of(tenant);
    const byStatus = { pending: 0, sent: 0, delivered: 0, failed: 0, partial: 0, skipped: 0, cancelled: 0 };
    const byChannel: Record<string, number> = {};
    for (const send of sends) {
      byStatus[statusOf(send)] += 1;
      byChannel[send.written.channel] = (byChannel[send.written.channel] ?? 0) + 1;
    }
    const fallbackUsed = sends.filter((send) => send.fallbackUsed).length;
    expect(await this.#storage.countSends(tenant, {})).toEqual({ total: sends.length, byStatus, byChannel, fallbackUsed });
  }

  async #checkAudit(tenant: string): Promise<void> {
    const lines = await this.#storage.listAudit(tenant, { limit: LINES });
    const expected = this.#model.audit.filter((line) => line.tenant === tenant).toReversed();
    expect(lines.map(({ number: _, ...line }) => line)).toEqual(expected.slice(0, LINES));
  }

  async #checkInbox(tenant: string, userId: string): Promise<void> {
    const owner = { tenant, userId };
    const { items, counts } = await this.#fixture.inbox.list(owner, { status: "all", limit: EVERYTHING.limit });
    expectSame(items, this.#model.inbox.list(owner, { status: "all" }));
    expect(counts).toMatchObject(this.#model.inbox.counts(owner));
  }

  async #checkExport(owner: Owner, limit: number): Promise<void> {
    const pages = await exportAll((after) => this.#storage.export(owner, { after, limit }));
    const own = this.#model
      .of(owner.tenant)
      .flatMap((send) =>
        send.deliveries
          .filter(({ recipient }) => recipient === owner.userId)
          .map((delivery) => ({ ...delivery, notification: send.notification })),
      );
    expectSame(pages.flat(), own);
  }

  async #checkLeases(owner: string, now: Date): Promise<void> {
    const leases = leasesOf(this.#storage);
    const held = withoutKeys(await leases.leasedTo(owner));
    const expected = this.#model.deliveries
      .filter(({ leaseOwner }) => leaseOwner === owner)
      .map((delivery) => claimedOf(this.#model.sendOf(delivery), delivery));
    expectSame(held.toSorted(byDelivery), expected.toSorted(byDelivery));
    const times = this.#model.deliveries.flatMap(({ status, leaseUntil, dueAt }) => {
      const isOpen = status === "pending" || status === "waiting";
      return isOpen ? ((leaseUntil ?? dueAt)?.getTime() ?? []) : [];
    });
    const next = times.length === 0 ? null : Math.max(0, Math.min(...times) - now.getTime());
    expect(await leases.nextDueInMs(now)).toBe(next);
  }

  /** A decision is handed the whole send as it is. */
  async #checkLoaded(send: ModelSend | undefined, now: Date): Promise<void> {
    if (!send) {
      return;
    }
    const { tenant, id } = send.notification;
    let seen: readonly LoadedSend[] = [];
    await this.#storage.settle({ kind: "send", tenant, id }, now, (loaded) => {
      seen = loaded;
      return { deliveries: [], attempts: [], sends: [], audit: [] };
    });
    const chains = chainsOf(send).map((chain) => chain.map((one) => ({ ...deliveryOf(one), isRead: this.#model.isRead(one) })));
    expectSame(seen, [{ state: stateOf(send), chains }]);
  }
}

function byDelivery({ delivery: left }: ClaimedDelivery, { delivery: right }: ClaimedDelivery): number {
  return compareIds(left, right);
}

function compareIds(left: Delivery, right: Delivery): number {
  return Number(left.id > right.id) - Number(left.id < right.id);
}
