import { topicAudience } from "../audiences/index.ts";
import { createSend, type DeliveryContext, parseSend, type Send, type SendRequest, type SendRules } from "../delivery/index.ts";
import { requireMembers } from "../foundation/issue-list.ts";
import type { TracedEnd, TracedWork } from "../foundation/tracing.ts";
import type { Created } from "../inbox/index.ts";
import {
  CREATE_MEMBERS,
  channelsOfType,
  INBOX_CHANNEL,
  type Notification,
  type NotificationTypes,
  parseExcept,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import { asCalled } from "./as-called.ts";
import type { CreatingContext } from "./context.ts";
import { chunkOf, create } from "./create.ts";
import { type CreateBroadcastContext, createBroadcast, isForEveryone, prepareBroadcast } from "./create-broadcast.ts";
import { type CreateRequest, parseCreate } from "./parse-create.ts";
import { type PreparedNotification, prepared, preparedSend } from "./transactional.ts";

/** The parts that the verb uses. */
export type VerbContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> = CreatingContext<Tx, Written> &
  DeliveryContext<Tx, Written> &
  CreateBroadcastContext<Tx, Written>;

/** Creates a notification, for inboxes alone or with deliveries. Resolves after the commit. */
export function createNotification(context: VerbContext, request: CreateRequest): Promise<Created> {
  const { tracing } = context;
  return tracing === null
    ? createAny(context, request)
    : tracing.run(
        creationOf(request),
        () => createAny(context, request),
        ({ notification }) => created(notification),
      );
}

function creationOf({ tenant }: Pick<CreateRequest, "tenant">): TracedWork {
  return { name: "create", tenant, notificationId: null, facts: {} };
}

function created({ id, kind }: Notification): TracedEnd {
  return { notificationId: id, facts: { kind } };
}

function createAny(context: VerbContext, request: CreateRequest): Promise<Created> {
  try {
    if (isForEveryone(request)) {
      return createBroadcast(context, asCalled(context, request));
    }
    if (hasTopic(request)) {
      return createForTopics(context, asCalled(context, request));
    }
    return isInboxOnly(context.types, request) ? create(context, request) : createWithDeliveries(context, asCalled(context, request));
  } catch (error) {
    return Promise.reject(error);
  }
}

/** Whether topics are part of the audience. */
function hasTopic({ input }: Pick<CreateRequest, "input">): boolean {
  return typeof input === "object" && input !== null && input.topic !== undefined;
}

async function createForTopics(context: VerbContext, request: CreateRequest): Promise<Created> {
  const found = await withTopics(context, request, isInboxOnly(context.types, request));
  return isInboxOnly(context.types, found) ? await create(context, found) : await createWithDeliveries(context, found);
}

/** Creates a notification with deliveries, whatever its channels, whose topics are looked up first where it has some. */
export function createTracked(context: VerbContext, request: SendRequest): Promise<Send> {
  const { tracing } = context;
  return tracing === null
    ? createAsSend(context, request)
    : tracing.run(creationOf(request), () => createAsSend(context, request), created);
}

async function createAsSend(context: VerbContext, request: SendRequest): Promise<Send> {
  const rules = { kind: "send", declaredTypesOnly: !request.rules.isContract } as const;
  const topics = hasTopic(request) ? (await withTopics(context, { ...request, rules }, false)).topics : undefined;
  return (await createSend(context, topics === undefined ? request : { ...request, topics })).send;
}

/** The request with its topics, and who subscribes to them. @param isOfInboxes whether it has no deliveries */
async function withTopics(context: VerbContext, request: CreateRequest, isOfInboxes: boolean): Promise<CreateRequest> {
  const { tenant, input, rules } = request;
  const { type, channels, idempotencyKey, fallback } = input;
  requireMembers("create", input, CREATE_MEMBERS);
  const declared = typeof type === "string" && Object.hasOwn(context.types, type) ? context.types[type] : undefined;
  const named = isOfInboxes
    ? [INBOX_CHANNEL]
    : (channels ?? (rules.declaredTypesOnly ? channelsOfType(declared) : undefined) ?? [INBOX_CHANNEL]);
  const chains = Math.max(1, (Array.isArray(named) ? named.length : 1) + (fallback ? 1 : 0));
  const isGrouped = (input.group ?? input.replace ?? declared?.group ?? null) !== null;
  const chunk = isOfInboxes ? chunkOf(context.inbox, { isGrouped }) : Math.max(1, Math.floor(context.topics.partDeliveries / chains));
  using _call = await context.ready();
  const isRepeated = typeof idempotencyKey === "string" && (await context.deliveries.isKeyUsed(tenant, idempotencyKey));
  return { ...request, topics: await topicAudience(context, { tenant, input, declared, channels: named, chunk, isRepeated }) };
}

async function createWithDeliveries(context: VerbContext, request: CreateRequest): Promise<Created> {
  const { send, items } = await createSend(context, { ...request, rules: rulesOf(request) });
  return { notification: send, items };
}

/** Checks a notification that is to be written inside the host's transaction. */
export async function prepareNotification<Tx, Written extends void | Promise<void>>(
  context: VerbContext<Tx, Written>,
  given: CreateRequest,
): Promise<PreparedNotification<Tx, Written>> {
  const request = asCalled(context, given);
  if (isForEveryone(request)) {
    return prepareBroadcast<Tx, Written>(context, request);
  }
  return hasTopic(request)
    ? prepareFound(context, await withTopics(context, request, isInboxOnly(context.types, request)))
    : prepareFound(context, request);
}

async function prepareFound<Tx, Written extends void | Promise<void>>(
  context: VerbContext<Tx, Written>,
  request: CreateRequest,
): Promise<PreparedNotification<Tx, Written>> {
  if (isInboxOnly(context.types, request)) {
    const entry = await parseCreate(context, request);
    using _call = await context.ready();
    return prepared<Tx, Written>(context, entry);
  }
  const parsed = await parseSend(context, { ...request, rules: rulesOf(request) });
  using _call = await context.ready();
  return preparedSend<Tx, Written>(context, parsed);
}

function rulesOf({ rules }: CreateRequest): SendRules {
  const { declaredTypesOnly, category } = rules;
  return { isContract: false, declaredTypesOnly, category };
}

/**
 * Whether a notification goes to inboxes alone, at once: it has no deliveries then. So does one that reaches nobody, since all
 * its users are excepted. An input that is none is left to the checks of the one or the other.
 */
function isInboxOnly(types: NotificationTypes, { input, rules }: CreateRequest): boolean {
  if (typeof input !== "object" || input === null) {
    return true;
  }
  const { to, topic, type, channels = rules.declaredTypesOnly ? channelsOf(types, type) : undefined, except } = input;
  if (hasAddress(to)) {
    return false;
  }
  const isPlain = !input.fallback && (input.scheduledAt ?? null) === null && input.idempotencyKey === undefined;
  return (isPlain && isInboxAlone(channels)) || (topic === undefined && except !== undefined && areAllExcepted(to, except));
}

function channelsOf(types: NotificationTypes, type: unknown): readonly string[] | undefined {
  return typeof type === "string" && Object.hasOwn(types, type) ? channelsOfType(types[type]) : undefined;
}

function isInboxAlone(channels: unknown): boolean {
  return channels === undefined || (Array.isArray(channels) && channels.length > 0 && channels.every((name) => name === INBOX_CHANNEL));
}

function hasAddress(to: unknown): boolean {
  if (!Array.isArray(to)) {
    return isAddress(to);
  }
  // A long list is looked through before others have their turn: this takes a fifth of what `some` does.
  for (let index = 0; index < to.length; index += 1) {
    if (isAddress(to[index])) {
      return true;
    }
  }
  return false;
}

function isAddress(one: unknown): boolean {
  return typeof one === "object" && one !== null;
}

function areAllExcepted(to: UntypedCreateInput["to"], except: unknown): boolean {
  const left = parseExcept(except);
  const list: readonly unknown[] = Array.isArray(to) ? to : [to];
  return list.length > 0 && list.every((userId) => left.has(userId as string));
}
