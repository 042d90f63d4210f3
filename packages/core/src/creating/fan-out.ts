import { takeNextStep } from "../audiences/index.ts";
import { endFanOuts, writeNextPart } from "../delivery/index.ts";
import { announceAlso, createdSignal, type FanOutChunk } from "../inbox/index.ts";
import { Loop, type NextRun } from "../work/loop.ts";
import { nextTurn } from "../work/timing.ts";
import type { VerbContext } from "./verb.ts";

/**
 * Writes the remaining items and deliveries of large creates, part by part, and notes updates of notifications that are in many inboxes. It yields to the event loop between parts. Tenants have
 * their turns one after another, each with one part. After a crash, the next start continues: one transaction writes a part and
 * deletes it. A part that cannot be written is left alone for a while, and others go on. A stop lets the current part end and begins
 * no other.
 */
export class FanOut {
  /** The background loop. Each large create and each start wakes it, and it also runs from time to time. */
  readonly loop: Loop;
  readonly #context: VerbContext;
  readonly #lookInMs: number;
  /** The tenants that had their turns last. */
  #served: { readonly audiences?: string; readonly items?: string; readonly deliveries?: string } = {};

  /** @param lookInMs how often it looks for chunks that another process left unwritten, in milliseconds */
  constructor(context: VerbContext, lookInMs: number) {
    this.#context = context;
    this.#lookInMs = lookInMs;
    const { clock, logger } = context;
    this.loop = new Loop({ task: "go on with a fan-out", run: () => this.#writeAll(), clock, logger });
  }

  async #writeAll(): Promise<NextRun> {
    await this.#context.ready();
    // Whoever has just created has the answer first: a synchronous storage would hold it up.
    await nextTurn();
    while (!this.loop.isStopping) {
      const hasFound = await this.#takeStep();
      if (hasFound) {
        await nextTurn();
      }
      const hasItems = await this.#writeItems();
      if (hasItems) {
        await nextTurn();
      }
      const hasUpdates = await this.#noteUpdates();
      if (!(await this.#writeDeliveries()) && !hasItems && !hasFound && !hasUpdates) {
        await endFanOuts(this.#context);
        this.#context.readOn();
        if (!(await this.#context.inbox.tidyFanOuts(new Date(this.#context.clock.now())))) {
          return { dueInMs: null, lookInMs: this.#lookInMs };
        }
      }
      await nextTurn();
    }
    return null;
  }

  /** Takes the next step of a large audience with topics. Returns false if none can be taken. */
  async #takeStep(): Promise<boolean> {
    const step = await takeNextStep(this.#context, { after: this.#served.audiences, isWanted: this.#context.follows ?? nobody });
    if (step === null) {
      return false;
    }
    this.#served = { ...this.#served, audiences: step.tenant };
    if (step.chunk !== null) {
      this.#tell(step.chunk);
    }
    return true;
  }

  /** Writes the items of a chunk of a large create for inboxes alone. Returns false if there is none. */
  async #writeItems(): Promise<boolean> {
    const { inbox, clock, lines, follows = nobody, followsAny = nobody } = this.#context;
    const createdAt = new Date(clock.now());
    const turn = { after: this.#served.items, isWanted: follows, isAnyWanted: followsAny, mayTakeMore: true };
    const chunk = await inbox.fanOutNext(createdAt, turn);
    if (chunk === null) {
      return false;
    }
    const { tenant, id } = chunk.notification;
    this.#served = { ...this.#served, items: tenant };
    if (chunk.failure !== undefined) {
      const fields = { err: chunk.failure, tenant, notificationId: id };
      lines.warn(fields, "Items of a large audience could not be written. They are tried again in some seconds.");
      return true;
    }
    // An item's time is the moment it entered the inbox, both in live events and in later lists.
    this.#tell({ ...chunk, notification: { ...chunk.notification, createdAt } });
    return true;
  }

  /** Tells clients and other processes about items that were just written. */
  #tell({ notification, items, isUntold }: FanOutChunk): void {
    const { follows, publish } = this.#context;
    const mustLook = isUntold === true || (follows === undefined && items.length === 0);
    publish(mustLook ? [{ topic: "inboxes" }] : items.map((item) => createdSignal(notification, item)));
    announceAlso(this.#context, items);
  }

  /** Notes an update in some of the inboxes of a large audience. Returns false if there is none. */
  async #noteUpdates(): Promise<boolean> {
    const { deliveries, clock, publish } = this.#context;
    const hasFound = await deliveries.noteUpdates(new Date(clock.now()));
    if (hasFound) {
      publish([{ topic: "inboxes" }]);
      await nextTurn();
    }
    return hasFound;
  }

  /** Writes the deliveries of a part of a large audience. Returns false if there is none. */
  async #writeDeliveries(): Promise<boolean> {
    const tenant = await writeNextPart(this.#context, this.#served.deliveries);
    if (tenant !== null) {
      this.#served = { ...this.#served, deliveries: tenant };
    }
    return tenant !== null;
  }
}

/** Other processes have to be told as well, so all look for themselves. */
function nobody(): boolean {
  return false;
}
