import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { type MembersOf, requireId, requireMembers, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { declaredType, INBOX_CHANNEL, RENDERED, renderAgain } from "../notifications/index.ts";
import { type ChainChange, type Settlement, settleChains } from "./chains.ts";
import { checkContent, dataOf, requireContent, withoutContents } from "./check-content.ts";
import { type DeliveryContext, settle } from "./context.ts";
import { chainOutcome, type Delivery, partsOf } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend, SendState } from "./delivery-storage.ts";
import { due, isStoppable, stopped } from "./delivery-transitions.ts";
import { ChainPages, isLargeSend } from "./large-sends.ts";
import { getSend, newProgress, sendOf, unknownSend } from "./read-sends.ts";
import type { Acting, Send, SendChanges, SendUpdate } from "./send.ts";

/** A request to change a send, with its actor. */
export interface ChangeRequest {
  readonly tenant: string;
  readonly id: string;
  readonly actor?: string;
  /** Whether a contract asks, whose data may name the type. @default false */
  readonly isContract?: boolean;
}

const CHANGES: MembersOf<SendChanges> = { title: true, message: true, data: true };

const ACTING: MembersOf<Acting> = { actor: true };

/** Checks the arguments of a call that acts on a notification. Throws `VALIDATION_ERROR`. */
export function requireActing(id: unknown, acting: unknown): void {
  requireId(id);
  requireMembers("the last argument", acting, ACTING);
}

/** Returns the actor for the audit log. @default "host" */
export function actorOf({ actor = "host" }: { readonly actor?: string }): string {
  requireNone([textIssue(actor, ["actor"], NAME_RULE)]);
  return actor;
}

/** The id of a send to change, and the actor. */
export interface ChangeBy {
  readonly id: string;
  readonly actor: string;
}

/** Decides on the chains of a send: null if there is none, a sentence if its state does not allow the change. */
type DecideOnSend = (loaded: readonly LoadedSend[], now: Date, by: ChangeBy) => Settlement | string | null;

async function settleSend(context: DeliveryContext, request: ChangeRequest, decide: DecideOnSend): Promise<Send> {
  const { tenant, id } = request;
  const by = { id, actor: actorOf(request) };
  using _call = await context.ready();
  const settlement = isUuid(id) ? await settle(context, { kind: "send", tenant, id }, (loaded, now) => decide(loaded, now, by)) : null;
  if (settlement === null) {
    throw unknownSend(id);
  }
  if (typeof settlement === "string") {
    throw new BelfryError("INVALID_STATE", settlement);
  }
  return await getSend(context, tenant, id);
}

/**
 * Stops all deliveries of a send, or none. Throws `INVALID_STATE` once any delivery has settled or is on its way; of a send with a large
 * audience, it stops those that have not gone out, and throws if none is left.
 */
export async function cancelSend(context: DeliveryContext, request: ChangeRequest): Promise<Send> {
  return (
    (await cancelLarge(context, request)) ?? (await endBroadcast(context, request)) ?? (await settleSend(context, request, cancelChains))
  );
}

/** Ends a broadcast that has no deliveries, and so nothing that keeps a status; null for any other notification. */
async function endBroadcast(context: DeliveryContext, request: ChangeRequest): Promise<Send | null> {
  const { tenant, id } = request;
  const by = { actor: actorOf(request), at: new Date(context.clock.now()) };
  using _call = await context.ready();
  const ended = await context.endBroadcast({ tenant, id }, by);
  if (ended === null) {
    return null;
  }
  const plan = { channel: INBOX_CHANNEL, fallbackDelayMs: 0, scheduledAt: null };
  return sendOf(ended, null, { ...plan, ...newProgress(ended.createdAt), status: "cancelled", updatedAt: by.at });
}

/** Retries the failed chains of a send from their primary delivery, on a fresh schedule. */
export async function retrySend(context: DeliveryContext, request: ChangeRequest): Promise<Send> {
  const send = (await retryLarge(context, request)) ?? (await settleSend(context, request, retryChains));
  context.deliverDue();
  return send;
}

/** Changes the chains of a send with a large audience page by page; null for any other send. */
async function settleLarge(context: DeliveryContext, request: ChangeRequest, change: (pages: ChainPages) => Promise<string | null>) {
  const { tenant, id } = request;
  const actor = actorOf(request);
  using _call = await context.ready();
  if (!isUuid(id) || !(await isLargeSend(context, { tenant, id }))) {
    return null;
  }
  const obstacle = await change(new ChainPages(context, { tenant, id, actor }));
  if (obstacle !== null) {
    throw new BelfryError("INVALID_STATE", obstacle);
  }
  return await getSend(context, tenant, id);
}

function cancelLarge(context: DeliveryContext, request: ChangeRequest): Promise<Send | null> {
  return settleLarge(context, request, async (pages) => {
    const hasEnded = await pages.endFanOut();
    const hasStopped = await pages.change("cancelled", (chain, _, now) => ({ chain: chain.map((delivery) => stopped(delivery, now)) }));
    return hasEnded || hasStopped ? null : `The notification ${request.id} cannot be cancelled: nothing of it is left to go out.`;
  });
}

function retryLarge(context: DeliveryContext, request: ChangeRequest): Promise<Send | null> {
  return settleLarge(context, request, async (pages) => {
    const hasFailed = await pages.change("retried", retryChain);
    return hasFailed ? null : `The notification ${request.id} cannot be retried: no delivery of it has failed.`;
  });
}

/** Stops every chain of a loaded send: null if there is none, a sentence if something of it cannot be stopped any more. */
export function cancelChains(loaded: readonly LoadedSend[], now: Date, { id, actor }: ChangeBy): Settlement | string | null {
  if (loaded.length === 0) {
    return null;
  }
  const all = loaded.flatMap(({ chains }) => chains.flat());
  // What was skipped did not go out, and stays as it is.
  const obstacle =
    all.find((delivery) => !isStoppable(delivery) && delivery.status !== "skipped") ?? (all.some(isStoppable) ? null : all[0]);
  if (obstacle) {
    const isOnItsWay = obstacle.leaseOwner !== null || obstacle.reason === "bundled";
    const what = isOnItsWay ? "a delivery is on its way" : `a delivery is already ${obstacle.status}`;
    return `The notification ${id} cannot be cancelled: ${what}.`;
  }
  const settlement = settleChains(loaded, now, (chain) => ({ chain: chain.map((delivery) => stopped(delivery, now)) }));
  return { ...settlement, changes: { ...settlement.changes, audit: [{ action: "cancelled", actor, notificationId: id }] } };
}

/** Changes the content of a send that is pending; throws `INVALID_STATE` for any other. */
export async function updateSend(context: DeliveryContext, request: ChangeRequest, changes: SendChanges): Promise<Send> {
  const { tenant, id, isContract = false } = request;
  const actor = actorOf(request);
  requireMembers("update", changes, CHANGES);
  using _call = await context.ready();
  const before = await getSend(context, tenant, id);
  const { channels, roomId, meta } = before;
  const checked = checkContent(context, changes, { names: channels, isContract });
  const keptRendered = ~((checked.title === undefined ? 0 : RENDERED.title) | (checked.message === undefined ? 0 : RENDERED.message));
  const texts = checked.data && (await textsFromData(context, before, { data: checked.data, keptRendered }));
  const { title, message } = { ...before, ...texts };
  const declared = declaredType(context, before.type, { declaredTypesOnly: false });
  requireContent(context, { title, message, data: meta, ...checked }, withoutContents(channels, declared, before));
  const data = checked.data && { meta: checked.data, data: dataOf(checked.data, roomId, { isContract }) };
  const change = { ...texts, ...checked, ...data, keptRendered, at: new Date(context.clock.now()), actor };
  const updated = isUuid(id) ? await context.deliveries.updateSend(tenant, id, change) : "unknown";
  if (updated === "unknown") {
    throw unknownSend(id);
  }
  if (updated === "updated" || updated === "updating") {
    context.lookAtInboxes();
  }
  if (updated === "updating") {
    context.fanOut();
  }
  const send = await getSend(context, tenant, id);
  if (updated === "not_pending") {
    throw new BelfryError("INVALID_STATE", `The notification ${id} cannot be changed: it is ${send.status}, not pending.`);
  }
  return send;
}

interface NewData extends Required<Pick<SendUpdate, "data">> {
  readonly keptRendered: number;
}

/** The texts that functions of the type make of new data. They replace what these functions made of the data before. */
async function textsFromData(context: DeliveryContext, before: Send, { data, keptRendered }: NewData): Promise<Partial<SendUpdate>> {
  const rendered = (before.rendered ?? 0) & keptRendered;
  if (rendered === 0) {
    return {};
  }
  const declared = declaredType(context, before.type, { declaredTypesOnly: false });
  const { title, message, url } = await renderAgain(context, { notification: { ...before, rendered }, declared, data });
  return { title, message, ...(url !== null && { url }) };
}

/** Makes the failed chains of a loaded send pending again: null if there is no such send, a sentence if nothing of it failed. */
export function retryChains(loaded: readonly LoadedSend[], now: Date, { id, actor }: ChangeBy): Settlement | string | null {
  const [send] = loaded;
  if (send === undefined) {
    return null;
  }
  const { status } = send.state;
  if (status !== "failed" && status !== "partial") {
    return `The notification ${id} cannot be retried: it is ${status}, neither failed nor partial.`;
  }
  const settlement = settleChains(loaded, now, (chain, state) => retryChain(chain, state, now));
  return { ...settlement, changes: { ...settlement.changes, audit: [{ action: "retried", actor, notificationId: id }] } };
}

/** Makes a chain that failed pending again, from its primary delivery; null for any other. */
export function retryChain(chain: readonly LoadedDelivery[], { fallbackDelayMs }: SendState, now: Date): ChainChange | null {
  const { primaries, fallbacks, leading: primary } = partsOf(chain);
  if (primary === undefined || chainOutcome(chain.map(({ status }) => status)) !== "failed") {
    return null;
  }
  const fresh = (delivery: Delivery): Delivery => ({ ...due(delivery, now), attemptsBefore: delivery.attempt });
  const waitsForReader = primary.channel === INBOX_CHANNEL && fallbackDelayMs > 0;
  const dueAt = waitsForReader ? new Date(now.getTime() + fallbackDelayMs) : null;
  return {
    chain: [...primaries.map(fresh), ...fallbacks.map((fallback): Delivery => ({ ...fresh(fallback), status: "waiting", dueAt }))],
    // The attempt about to run counts already.
    shownAttempts: Math.max(...primaries.map(({ attempt }) => attempt)) + 1,
  };
}
