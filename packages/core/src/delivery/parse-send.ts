import type { Clock } from "../foundation/clock.ts";
import { BelfryError } from "../foundation/errors.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import { NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import { parsedTime, timeIssue } from "../foundation/parse-time.ts";
import {
  channelsOfType,
  declaredType,
  type FallbackInput,
  groupOfType,
  hasContents,
  INBOX_CHANNEL,
  type NewAudience,
  type Notification,
  type NotificationType,
  newAudience,
  parseData,
  parseFields,
  RENDERED,
  rendersTexts,
  renderTexts,
  type TopicAudience,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import { type Audience, checkAudience, hasUsers, isLarge, parseAudience, sorted } from "./audience.ts";
import { actorOf } from "./change-send.ts";
import type { Channel } from "./channel.ts";
import { type ContentUse, checkContent, dataOf, requireContent, withoutContents } from "./check-content.ts";
import type { DeliveryContext } from "./context.ts";
import { type DecidedDeliveries, type Deciding, decideDeliveries, digestKeys } from "./decide-deliveries.ts";
import type { SendStatus } from "./delivery.ts";
import type { ForEveryone } from "./fan-out-storage.ts";
import { type AskedByContract, idempotencyOf, saidBy } from "./idempotency.ts";
import type { NewDelivery, NewSend } from "./new-send.ts";
import { DEFAULT_FALLBACK, parseFallback } from "./parse-plan.ts";
import { deliveriesOf, fanOutOf, type MakingDeliveries, placedUsers } from "./plan-deliveries.ts";
import { newProgress, sendOf } from "./read-sends.ts";
import type { DeliveryTerms, Send, SendChanges } from "./send.ts";

/** The rules that differ between a host's own notification and one from a contract. */
export interface SendRules extends AskedByContract {
  /**
   * Whether a contract asks. Its type may be undeclared, and stand in its data; it names ids where a channel wants addresses only with
   * `namesUsers`; a fallback over e-mail may have no such channel: its delivery then fails when it is due.
   */
  readonly isContract: boolean;
  /** Whether an undeclared type is refused. @default unless a contract asks */
  readonly declaredTypesOnly?: boolean;
  /** The category that a contract's sender named. @default that of the type */
  readonly category?: string | undefined;
}

/** A notification with deliveries, before it is checked. */
export interface SendRequest {
  readonly tenant: string;
  readonly input: UntypedCreateInput;
  readonly rules: SendRules;
  /** The notification's id. @default a new one */
  readonly id?: string;
  /** The topics of its audience, and who subscribes. @default it has none */
  readonly topics?: TopicAudience;
  /** How it goes to everyone. @default it names who gets it */
  readonly everyone?: Pick<ForEveryone, "isStanding" | "except">;
  /** Its data, where they were read before. @default those of the input are read */
  readonly data?: Promise<JsonObject>;
}

/** A checked notification with deliveries, with the answer for its sender. */
export interface ParsedSend {
  readonly entry: NewSend;
  readonly view: Send;
}

/** Checks the input of a notification with deliveries and makes all that is to be written, ids and times included. */
export async function parseSend(
  context: DeliveryContext,
  { tenant, input, rules, id, topics, everyone, data: readBefore }: SendRequest,
): Promise<ParsedSend> {
  const { isContract, declaredTypesOnly = !isContract } = rules;
  const createdAt = new Date(context.clock.now());
  const { fields, fallback, scheduledAt } = parsePlan(input, context.clock);
  const declared = declaredType(context, fields.type, { declaredTypesOnly });
  const named = await parseAudience(input, {
    channels: input.channels ?? channelsOfType(declared) ?? [INBOX_CHANNEL],
    hasFallback: fallback !== null,
    ...{ topics, everyone },
  });
  const used = channelsOf(context, tenant, named);
  if (fallback !== null) {
    requireFallback(context, fallback, { tenant, audience: named, isContract });
  }
  const names = [...used.keys()];
  const allNames = fallback ? [...names, fallback.channel] : names;
  const { data, ...texts } = await parseContent(context, { input, declared, type: fields.type, names: allNames, isContract, readBefore });
  const { title, message } = texts;
  const namesAddresses = areAddresses(rules);
  await checkAudience(named, used, namesAddresses ? "addresses" : context.directory === null ? "no directory" : "directory");
  requireContent(context, { title, message, data }, withoutContents(allNames, declared, texts));
  const audience = await sorted(named);
  const { recipients } = audience;
  const plan = { channel: names[0] ?? INBOX_CHANNEL, fallbackDelayMs: fallback?.afterMs ?? 0, scheduledAt };
  const hasFallback = fallback !== null || rules.asksFallback === true;
  const details = { channels: names, roomId: input.roomId ?? null, recipients, erasedRecipients: 0, hasFallback, meta: data };
  const notification: Notification = {
    ...fields,
    id: id ?? context.ids.next(),
    tenant,
    kind: "send",
    ...texts,
    data: dataOf(data, details.roomId, { isContract }),
    createdAt,
    category: rules.category ?? declared?.category ?? null,
  };
  const { group } = notification;
  const deciding = { notification: { ...notification, data }, declared, scheduledAt, group, tenant };
  const { written, questions, throttled } = await writtenOf(context, audience, { ...deciding, fallback, isContract: namesAddresses });
  const view = sendOf(notification, details, { ...plan, ...newProgress(createdAt, "pending") });
  const entry: NewSend = {
    ...plan,
    ...written,
    notification,
    details,
    idempotency: input.idempotencyKey === undefined ? null : await idempotencyOf(input, await saidBy(input, audience, rules)),
    actor: actorOf(input),
    throttles: null,
    ...(audience.topics === undefined ? {} : { audience: keptOf(audience.topics, audience) }),
    ...everyoneOf(audience, { scheduledAt, createdAt }),
  };
  const answered = (send: NewSend) => withResponse(send, viewOf(view, send));
  const decided = (allowed: readonly boolean[]) => answered({ ...entry, deliveries: throttled(allowed) });
  return { entry: { ...answered(entry), throttles: questions.length === 0 ? null : { questions, decided } }, view: viewOf(view, entry) };
}

/** Whether all who are named over a channel are addresses of it. */
function areAddresses({ isContract, namesUsers = false }: SendRules): boolean {
  return isContract && !namesUsers;
}

/** How a notification goes to everyone, if it does. */
function everyoneOf(
  { channels, everyone }: Pick<Audience, "channels" | "everyone">,
  { scheduledAt, createdAt }: Pick<NewSend, "scheduledAt"> & Pick<Notification, "createdAt">,
): Pick<NewSend, "everyone"> {
  const dueAt = scheduledAt !== null && scheduledAt > createdAt ? scheduledAt : null;
  return everyone === undefined ? {} : { everyone: { ...everyone, hasItems: channels.includes(INBOX_CHANNEL), dueAt } };
}

/** What is kept of an audience with topics. Its addresses come before the users who are found later. */
function keptOf(topics: TopicAudience, { addresses }: Audience): NewAudience {
  return newAudience(topics, { place: topics.members === null ? addresses.length : 0, hasDeliveries: true });
}

/** The answer for the sender, given the send as it is written. */
export function viewOf(view: Send, send: Pick<NewSend, "deliveries" | "fanOut" | "everyone">): Send {
  return { ...view, status: statusOf(send) };
}

/** The status of a send that was just written. */
export function statusOf({ deliveries, fanOut, everyone }: Pick<NewSend, "deliveries" | "fanOut" | "everyone">): SendStatus {
  if (fanOut !== undefined) {
    return "pending";
  }
  if (everyone !== undefined) {
    // One to inboxes alone has gone out once it has its number.
    return everyone.dueAt === null ? "sent" : "pending";
  }
  return deliveries.every(({ status }) => status === "skipped") ? "skipped" : "pending";
}

/** The send with what a repetition is answered: without the actor, whose name would stay in it. */
function withResponse(send: NewSend, view: Send): NewSend {
  const { idempotency } = send;
  return idempotency === null ? send : { ...send, idempotency: { ...idempotency, response: JSON.stringify({ ...view, actor: null }) } };
}

type WrittenNow = DeliveryTerms & Pick<NewSend, "deliveries" | "inboxRecipients" | "fanOut">;

/** What is written of a notification beside itself: its decided deliveries and items, or how those of a large audience are made later. */
async function writtenOf(
  context: DeliveryContext,
  audience: Audience,
  { fallback, isContract, ...deciding }: Omit<Deciding, "deliveries"> & MakingDeliveries,
): Promise<Omit<DecidedDeliveries, "deliveries"> & { readonly written: WrittenNow }> {
  if (isLarge(audience)) {
    const terms = {
      ...termsOf([], { fallback, isContract, channels: audience.channels }),
      addresses: isContract ? ("own" as const) : ("shared" as const),
    };
    // A function of the type that fails refuses the call here, and never holds up the parts.
    const keys = await digestKeys(context, deciding, hasUsers(audience) ? audience.channels : []);
    const written = { ...terms, deliveries: [], inboxRecipients: [], fanOut: fanOutOf(audience, { fallback, isContract, keys }) };
    return { written, questions: [], throttled: () => [] };
  }
  const undecided = deliveriesOf(context, audience, { fallback, isContract });
  const { deliveries, ...decided } = await decideDeliveries(context, { ...deciding, deliveries: undecided });
  const inboxRecipients = deciding.scheduledAt === null ? placedUsers(audience.users, deliveries) : [];
  return {
    ...decided,
    written: { ...termsOf(deliveries, { fallback, isContract, channels: audience.channels }), deliveries, inboxRecipients },
  };
}

/** Stands for a schedule that is not given. It is a text, since a test may put another class in the place of Date. */
const NO_SCHEDULE = "1970-01-01T00:00:00Z";

function parsePlan(input: UntypedCreateInput, clock: Pick<Clock, "now">) {
  const { fields, issues } = parseFields(input, clock);
  const fallback = parseFallback(input.fallback);
  issues.add(textIssue(input.idempotencyKey ?? "-", ["idempotencyKey"], NAME_RULE));
  issues.addAll(fallback.issues);
  issues.add(timeIssue(input.scheduledAt ?? NO_SCHEDULE, "scheduledAt"));
  issues.done();
  return { fields, fallback: fallback.input, scheduledAt: parsedTime(input.scheduledAt) };
}

interface ContentSource extends ContentUse {
  readonly input: UntypedCreateInput;
  readonly declared: NotificationType | undefined;
  readonly type: string;
  readonly readBefore: Promise<JsonObject> | undefined;
}

/** What a notification says. */
interface Content extends Required<SendChanges> {
  readonly url: string | null;
  readonly rendered: number | null;
  readonly group: string | null;
}

async function parseContent(context: DeliveryContext, { input, declared, type, readBefore, ...use }: ContentSource): Promise<Content> {
  const data: JsonObject = use.isContract
    ? { ...(await parseData(undefined, declared)), ...requireJsonObject(input.data ?? {}, ["meta"]) }
    : await (readBefore ?? parseData(input.data, declared));
  // Data of a contract need not fit the type, and its senders write their own texts.
  const isRendered = !use.isContract && rendersTexts(declared, input);
  const texts = isRendered
    ? await renderTexts(context, { declared, type, data, given: input, isDelivered: true })
    : { ...input, rendered: null };
  const all = { title: texts.title ?? "", message: texts.message ?? "", data };
  const rendered = !use.isContract && hasContents(declared) ? (texts.rendered ?? 0) | RENDERED.contents : texts.rendered;
  const group = input.group ?? (use.isContract ? null : groupOfType(context, { type, declared, data }));
  return { ...all, url: texts.url ?? null, rendered, group, ...checkContent(context, all, use) };
}

/** Refuses a fallback over a channel that is not set up, or that reaches the users anyway: they would get the same twice. */
function requireFallback(
  context: DeliveryContext,
  { channel }: Required<FallbackInput>,
  { tenant, audience, isContract }: Pick<SendRequest, "tenant"> & Pick<SendRules, "isContract"> & { readonly audience: Audience },
): void {
  if (!(isContract && channel === DEFAULT_FALLBACK)) {
    channelOf(context, tenant, channel);
  }
  if (!isContract && hasUsers(audience) && audience.channels.includes(channel)) {
    const message = `stands in over ${shown(channel)}, which is among the channels ${audience.channels.join(", ")} already: users would get it twice; leave out one of both`;
    throw validationError([{ path: ["fallback"], type: "value_error", message }]);
  }
}

/** The channels that an audience is reached over, each by its name, those of users first; null for the inbox. */
function channelsOf(context: DeliveryContext, tenant: string, audience: Audience): ReadonlyMap<string, Channel | null> {
  const names = [...(hasUsers(audience) ? audience.channels : []), ...audience.addresses.map(({ channel }) => channel)];
  return new Map([...new Set(names)].map((name) => [name, channelOf(context, tenant, name)]));
}

/** The channel of this name, null for the inbox; throws `CHANNEL_NOT_CONFIGURED`. */
function channelOf({ channels }: Pick<DeliveryContext, "channels">, tenant: string, name: string): Channel | null {
  if (name === INBOX_CHANNEL) {
    return null;
  }
  const channel = channels.get(name);
  if (channel === undefined || channel.isConfigured?.(tenant) === false) {
    const known = [INBOX_CHANNEL, ...channels.keys()].join(", ");
    const fact = channel === undefined ? `${shown(name)} is not configured` : `${name} has no provider for ${tenant}`;
    const message = `The channel ${fact}. The service's channels are: ${known}. Pass it to NotificationService as channels: […].`;
    throw new BelfryError("CHANNEL_NOT_CONFIGURED", message, { details: { channel: name } });
  }
  return channel;
}

/** What the deliveries need. The clients of a contract take a user without a connection as not reached. */
function termsOf(
  deliveries: readonly NewDelivery[],
  { fallback, isContract, channels }: Pick<Audience, "channels"> & MakingDeliveries,
): DeliveryTerms {
  const byChannel = Map.groupBy(deliveries, ({ channel, status }) => (status === "skipped" ? INBOX_CHANNEL : channel));
  byChannel.delete(INBOX_CHANNEL);
  const mayShare = (some: readonly NewDelivery[]) => some.length > 1 && some.some(({ recipientKind }) => recipientKind === "user");
  // A fallback stands in for the first channel alone.
  const isFollowed = fallback?.afterMs === 0 && channels[0] === INBOX_CHANNEL;
  return {
    inboxNeeds: isContract || isFollowed ? "connection" : "item",
    addresses: !isContract && [...byChannel.values()].some(mayShare) ? "shared" : "own",
  };
}
