import type { Owner, SendChanged } from "@belfry/core";
import { acknowledgeChains, cancelChains, type DeliveryStorage, type NewSend, retryChains } from "@belfry/core/storage";
import { expect } from "vitest";
import { newSend } from "../delivery/send-entries.ts";
import { type Fixture, seqsOf } from "../fixture.ts";
import { deleteSend } from "../steps.ts";
import { DeliveryChecks } from "./delivery-checks.ts";
import { DeliveryModel, type ModelSend, statusOf } from "./delivery-model.ts";
import { type DeliveryLook, type DeliveryOperation, SEND_CHANNELS, SEND_USERS, type SendDraft } from "./delivery-operations.ts";
import { acknowledge, cancel, erase, retry } from "./delivery-rules.ts";
import { DeliveryWork } from "./delivery-work.ts";
import { choose, expectSame } from "./same.ts";

const START_MS = Date.UTC(2026, 6, 1);
const NOTHING = { deliveries: [], attempts: [], sends: [], audit: [] } as const;

/** An operation of one kind. */
type Step<Kind extends DeliveryOperation["do"]> = Extract<DeliveryOperation, { readonly do: Kind }>;

/** Does the same things to a storage, with core's decisions, and to the model, with its own, and compares what comes of them. */
export class DeliveryRun {
  readonly #fixture: Fixture;
  readonly #model = new DeliveryModel();
  readonly #tenants: readonly string[];
  readonly #checks: DeliveryChecks;
  readonly #work: DeliveryWork;
  #nowMs = START_MS;

  constructor(fixture: Fixture, run: number) {
    this.#fixture = fixture;
    this.#tenants = [`run ${run}`, `Run ${run}`];
    this.#work = new DeliveryWork(fixture, this.#model, this.#tenants);
    this.#checks = new DeliveryChecks(fixture, this.#model, this.#tenants);
  }

  async apply(operation: DeliveryOperation): Promise<void> {
    switch (operation.do) {
      case "create":
        return this.#write(operation.drafts.map((draft) => this.#draft(draft)));
      case "claim":
      case "end":
      case "renew":
      case "endLost":
      case "endWaits":
        return this.#work.apply(operation, this.#nowMs);
      case "acknowledge":
        return this.#acknowledge(operation);
      case "erase":
        return this.#erase(operation);
      case "prune":
        await this.#storage.pruneIdempotencyKeys(new Date(this.#nowMs - operation.agoMs));
        return this.#model.pruneKeys(new Date(this.#nowMs - operation.agoMs));
      case "pass":
        this.#nowMs += operation.ms;
        return;
      default: {
        const send = choose(this.#model.sends, operation.send);
        return send && this.#change(operation, send);
      }
    }
  }

  check(look: DeliveryLook): Promise<void> {
    return this.#checks.check(look, this.#now);
  }

  /** Leaves nothing to claim for the next run. */
  async end(): Promise<void> {
    for (const tenant of this.#tenants) {
      const { sends } = await this.#storage.listSends(tenant, { sort: "created_at", offset: 0, limit: 10_000 });
      for (const send of sends) {
        await deleteSend(this.#fixture.storage, send, { at: this.#now, actor: "end" });
      }
    }
  }

  get #now(): Date {
    return new Date(this.#nowMs);
  }

  get #storage(): DeliveryStorage {
    return this.#fixture.storage.deliveries;
  }

  #change(operation: Step<"repeat" | "place" | "cancel" | "retry" | "delete" | "update" | "read">, send: ModelSend): Promise<void> {
    switch (operation.do) {
      case "repeat":
        return this.#write([send.written]);
      case "place":
        return this.#place(operation, send);
      case "cancel":
      case "retry":
        return this.#cancelOrRetry(operation.do, send);
      case "delete":
        return this.#delete(send);
      case "update":
        return this.#update(operation, send);
      case "read":
        return this.#read(operation, send);
    }
  }

  async #write(sends: readonly NewSend[]): Promise<void> {
    // No two sends of one call may have the same key.
    const keys = sends.map(({ idempotency, notification }) => idempotency && JSON.stringify([notification.tenant, idempotency.key]));
    const distinct = sends.filter((_, index) => keys[index] === null || keys.indexOf(keys[index] ?? null) === index);
    const answers = await this.#storage.createSends(distinct, this.#now);
    const expected = distinct.map((send) => this.#model.create(send, this.#now));
    const told = answers.map((answer) =>
      answer.kind === "created" ? { seqs: seqsOf(answer.items) } : { repeated: { bodyHash: answer.bodyHash, response: answer.response } },
    );
    expect(told).toEqual(
      expected.map((one) => ("repeated" in one ? { repeated: { bodyHash: one.repeated.bodyHash, response: one.repeated.response } } : one)),
    );
  }

  async #place({ users }: Step<"place">, { notification }: ModelSend): Promise<void> {
    const names = users.map((index) => SEND_USERS[index] ?? "").toSorted();
    const items = await this.#storage.placeItems(notification, names, this.#now);
    expect(items.map(({ userId }) => userId)).toEqual(names);
    expect(seqsOf(items)).toEqual(this.#model.inbox.place(notification, names, this.#now));
  }

  async #cancelOrRetry(what: "cancel" | "retry", send: ModelSend): Promise<void> {
    const { tenant, id } = send.notification;
    const decide = what === "cancel" ? cancelChains : retryChains;
    let isDone = false;
    await this.#storage.settle({ kind: "send", tenant, id }, this.#now, (loaded, now) => {
      const settlement = decide(loaded, now, { id, actor: "somebody" });
      isDone = settlement !== null && typeof settlement !== "string";
      return settlement === null || typeof settlement === "string" ? NOTHING : settlement.changes;
    });
    expect(isDone).toBe(what === "cancel" ? cancel(send, this.#now) : retry(send, this.#now));
    if (isDone) {
      this.#model.log(send.notification, { action: what === "cancel" ? "cancelled" : "retried", actor: "somebody", at: this.#now });
    }
  }

  async #acknowledge({ send, tenant, user }: Step<"acknowledge">): Promise<void> {
    const owner: Owner = { tenant: this.#tenants[tenant] ?? "", userId: SEND_USERS[user] ?? "" };
    const chosen = send === null ? null : choose(this.#model.sends, send);
    const ids = chosen === null ? null : [chosen?.notification.id ?? crypto.randomUUID()];
    const request = { userId: owner.userId, readOnly: ids === null };
    await this.#storage.settle({ kind: "inbox", owner, ids }, this.#now, (loaded, now) => acknowledgeChains(loaded, now, request).changes);
    for (const delivery of this.#model.deliveries) {
      const { tenant: of, channel, recipient, notificationId } = delivery;
      const isTheirs = of === owner.tenant && channel === "inbox" && recipient === owner.userId;
      if (isTheirs && (ids === null ? this.#model.isRead(delivery) : ids.includes(notificationId))) {
        acknowledge(this.#model.sendOf(delivery), delivery, this.#now);
      }
    }
  }

  async #erase({ tenant, user, limit }: Step<"erase">): Promise<void> {
    const owner: Owner = { tenant: this.#tenants[tenant] ?? "", userId: SEND_USERS[user] ?? "" };
    const { sends, ...step } = await this.#storage.erase(owner, limit, this.#now);
    const expected = erase(this.#model, owner, { limit, now: this.#now });
    expectSame({ ...step, sends: sends.toSorted(byId) }, { ...expected, sends: expected.sends.toSorted(byId) });
  }

  async #delete(send: ModelSend): Promise<void> {
    const deleted = await deleteSend(this.#fixture.storage, send.notification, { at: this.#now, actor: "somebody" });
    const items = deleted
      // The counts of its inbox are not what this model is about.
      ?.map(({ epoch, rev, lastSeq, total, unread, unseen, ...item }) => item)
      .toSorted((left, right) => (left.userId < right.userId ? -1 : 1));
    expectSame(items, this.#model.inbox.forget(send.notification));
    this.#model.remove(send);
    this.#model.log(send.notification, { action: "deleted", actor: "somebody", at: this.#now });
  }

  async #update({ text, withMeta }: Step<"update">, send: ModelSend): Promise<void> {
    const { tenant, id } = send.notification;
    const change = {
      title: `Title ${text}`,
      message: `Message ${text}`,
      ...(withMeta ? { meta: { notification_type: "x", text }, data: { text } } : {}),
    };
    const updated = await this.#storage.updateSend(tenant, id, { ...change, keptRendered: ~3, at: this.#now, actor: "somebody" });
    if (statusOf(send) !== "pending") {
      expect(updated).toBe("not_pending");
      return;
    }
    send.notification = { ...send.notification, title: change.title, message: change.message, ...(withMeta ? { data: { text } } : {}) };
    send.details = send.details && { ...send.details, ...(change.meta ? { meta: change.meta } : {}) };
    send.updatedAt = this.#now;
    this.#model.inbox.change(send.notification);
    this.#model.log(send.notification, { action: "updated", actor: "somebody", at: this.#now });
    expect(updated).toBe("updated");
  }

  async #read({ user }: Step<"read">, { notification }: ModelSend): Promise<void> {
    const owner: Owner = { tenant: notification.tenant, userId: SEND_USERS[user] ?? "" };
    const { items } = await this.#fixture.inbox.markRead(owner, [notification.id], this.#now);
    expect(seqsOf(items)).toEqual(this.#model.inbox.markRead(owner, [notification.id], this.#now).found);
  }

  #draft({ tenant, users, channel, fallbackMs, scheduledInMs, key, isBare }: SendDraft): NewSend {
    const send = newSend(this.#fixture, {
      to: users.map((index) => SEND_USERS[index] ?? ""),
      channel: SEND_CHANNELS[channel] ?? "",
      plan: { scheduledAt: scheduledInMs === null ? null : new Date(this.#nowMs + scheduledInMs) },
      details: isBare ? null : { roomId: `room ${users.length}` },
      ...(fallbackMs === null ? {} : { fallbackAfterMs: fallbackMs }),
      idempotency: key === null ? null : { key: `key ${key}`, bodyHash: `hash ${fallbackMs}`, response: `${users.length}` },
    });
    const deliveries = send.deliveries.map((one) => (one.isFallback && fallbackMs === 0 ? { ...one, dueInMs: null } : one));
    return { ...send, deliveries, notification: { ...send.notification, tenant: this.#tenants[tenant] ?? "" } };
  }
}

function byId(left: SendChanged, right: SendChanged): number {
  return Number(left.id > right.id) - Number(left.id < right.id);
}
