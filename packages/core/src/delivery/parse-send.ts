import { digest } from "../foundation/digest.ts";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { type MembersOf, requireMembers, validationError } from "../foundation/issue-list.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import { isCalendarDay, NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";
import {
  compareBytewise,
  declaredType,
  NOTIFICATION_DEFAULTS,
  type Notification,
  type NotificationType,
  parseData,
  parseFields,
} from "../notifications/index.ts";
import { parseSendRecipients } from "./addresses.ts";
import { actorOf } from "./change-send.ts";
import type { Channel } from "./channel.ts";
import { type ContentUse, checkContent, dataOf, requireContent } from "./check-content.ts";
import type { DeliveryContext } from "./context.ts";
import { INBOX_CHANNEL } from "./delivery.ts";
import type { NewDelivery, NewSend } from "./delivery-storage.ts";
import { newProgress, sendOf } from "./read-sends.ts";
import type { Send, SendChanges } from "./send.ts";
import type { FallbackInput, SendInput } from "./send-input.ts";

/** The fallback channel if the sender names none. */
export const DEFAULT_FALLBACK = "email";

const MAX_DELAY_MS = 30 * 24 * 60 * 60 * 1_000;

const SEND_MEMBERS: MembersOf<SendInput> = {
  to: true,
  channel: true,
  channels: true,
  type: true,
  subject: true,
  content: true,
  data: true,
  meta: true,
  priority: true,
  roomId: true,
  fallback: true,
  scheduledAt: true,
  idempotencyKey: true,
  actor: true,
};

const FALLBACK_MEMBERS: MembersOf<FallbackInput> = { channel: true, afterMs: true };

/** The rules that differ between a host's own send and one from a contract. */
export interface SendRules {
  readonly declaredTypesOnly: boolean;
  /** Whether a fallback over e-mail may have no such channel. Its delivery then fails when it is due. */
  readonly acceptsMissingEmail: boolean;
  /** Whether recipients may be user ids for the directory, where the channel wants addresses. */
  readonly acceptsIds: boolean;
  /** Whether the sender asked for a fallback where the contract has none to plan. It is kept, for the answers. */
  readonly asksFallback: boolean;
}

/** A send, before it is checked. */
export interface SendRequest {
  readonly tenant: string;
  readonly input: SendInput;
  readonly rules: SendRules;
}

/** A checked send, with the answer for its sender. */
export interface ParsedSend {
  readonly entry: NewSend;
  readonly view: Send;
}

/** Checks the input of a send and makes all that is to be written, ids and times included. */
export async function parseSend(context: DeliveryContext, { tenant, input, rules }: SendRequest): Promise<ParsedSend> {
  requireMembers("send", input, SEND_MEMBERS);
  const nowMs = context.clock.now();
  const { fields, issues } = parseFields(input);
  const fallback = fallbackOf(input.fallback);
  const schedule = parseSchedule(input.scheduledAt);
  issues.addAll((["roomId", "idempotencyKey"] as const).map((name) => textIssue(input[name] ?? "-", [name], NAME_RULE)));
  if (input.channel !== undefined && input.channels !== undefined) {
    issues.add({ path: ["channels"], type: "conflict", message: "cannot be given together with channel" });
  }
  issues.addAll([...fallback.issues, ...schedule.issues]);
  issues.done();
  const declared = declaredType(context, fields.type, rules);
  const names = channelNames(input, declared?.channels);
  const channels = names.map((name) => channelOf(context, tenant, name));
  if (fallback.input !== null && !(rules.acceptsMissingEmail && fallback.input.channel === DEFAULT_FALLBACK)) {
    channelOf(context, tenant, fallback.input.channel);
  }
  const allNames = fallback.input ? [...names, fallback.input.channel] : names;
  const isContract = !rules.acceptsIds;
  const { title, message, data } = await parseContent(context, { input, declared, names: allNames, isContract });
  const recipients = parseSendRecipients(input.to, channels, { acceptsIds: rules.acceptsIds && context.directory !== null });
  requireContent(context, { title, message, data }, allNames);
  const plan = { channel: names[0] ?? INBOX_CHANNEL, fallbackDelayMs: fallback.input?.afterMs ?? 0, scheduledAt: schedule.at };
  const hasFallback = fallback.input !== null || rules.asksFallback;
  const details = { channels: names, roomId: input.roomId ?? null, recipients, erasedRecipients: 0, hasFallback, meta: data };
  const notification: Notification = {
    ...NOTIFICATION_DEFAULTS,
    ...fields,
    id: context.ids.next(),
    tenant,
    kind: "send",
    title,
    message,
    data: dataOf(data, details.roomId, { isContract }),
    createdAt: new Date(nowMs),
  };
  const view = sendOf(notification, details, { ...plan, ...newProgress(notification.createdAt) });
  const entry: NewSend = {
    ...plan,
    notification,
    details,
    deliveries: deliveriesOf(context, { names, recipients, fallback: fallback.input }),
    inboxRecipients: names.includes(INBOX_CHANNEL) && schedule.at === null ? [...recipients].sort(compareBytewise) : [],
    idempotency:
      input.idempotencyKey === undefined
        ? null
        : await idempotencyOf({ ...input, ...(rules.asksFallback && { asksFallback: true }) }, view),
    actor: actorOf(input),
  };
  return { entry, view };
}

interface ContentSource extends ContentUse {
  readonly input: SendInput;
  readonly declared: NotificationType | undefined;
}

async function parseContent(context: DeliveryContext, { input, declared, ...use }: ContentSource): Promise<Required<SendChanges>> {
  const data = await parseData(input.data, declared);
  const { subject = "", content = "" } = input;
  const all = { title: subject, message: content, data: { ...data, ...requireJsonObject(input.meta ?? {}, ["data"]) } };
  return { ...all, ...checkContent(context, all, use) };
}

function channelNames({ channel, channels }: SendInput, declared: readonly string[] | undefined): readonly string[] {
  const names = channels ?? (channel === undefined ? declared : [channel]) ?? [INBOX_CHANNEL];
  if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string")) {
    throw validationError([{ path: ["channels"], type: "list_type", message: "must be a list of at least one channel's name" }]);
  }
  return [...new Set(names as readonly string[])];
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

function fallbackOf(input: SendInput["fallback"]): { readonly input: Required<FallbackInput> | null; readonly issues: readonly Issue[] } {
  if (input === undefined || input === false) {
    return { input: null, issues: [] };
  }
  if (input !== true) {
    requireMembers("fallback", input, FALLBACK_MEMBERS);
  }
  const { channel = DEFAULT_FALLBACK, afterMs = 0 } = input === true ? {} : input;
  if (typeof channel !== "string" || channel === INBOX_CHANNEL || !Number.isFinite(afterMs) || afterMs < 0 || afterMs > MAX_DELAY_MS) {
    const message = `must name a channel other than ${INBOX_CHANNEL}, and wait 0 to ${MAX_DELAY_MS} ms`;
    return { input: null, issues: [{ path: ["fallback"], type: "value_error", message }] };
  }
  return { input: { channel, afterMs: Math.round(afterMs) }, issues: [] };
}

function deliveriesOf(
  { ids }: Pick<DeliveryContext, "ids">,
  { names, recipients, fallback }: { names: readonly string[]; recipients: readonly string[]; fallback: Required<FallbackInput> | null },
): readonly NewDelivery[] {
  return names.flatMap((channel, order) =>
    recipients.flatMap((recipient, index): NewDelivery[] => {
      const chain = order * recipients.length + index;
      const primary: NewDelivery = { id: ids.next(), channel, recipient, chain, isFallback: false, status: "pending", dueInMs: 0 };
      if (fallback === null || order > 0) {
        return [primary];
      }
      const dueInMs = channel === INBOX_CHANNEL && fallback.afterMs > 0 ? fallback.afterMs : null;
      return [primary, { id: ids.next(), channel: fallback.channel, recipient, chain, isFallback: true, status: "waiting", dueInMs }];
    }),
  );
}

async function idempotencyOf({ idempotencyKey = "", actor: _, ...body }: SendInput, view: Send) {
  return { key: idempotencyKey, bodyHash: await digest(JSON.stringify(canonical(body))), response: JSON.stringify(view) };
}

/** The same value with every object's members in one order: how a client orders them says nothing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value !== "object" || value === null || value instanceof Date) {
    return value;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.sort(([left], [right]) => compareBytewise(left, right)).map(([key, member]) => [key, canonical(member)]);
}

/** ISO 8601 with a time zone: a local time would mean another moment on every machine. */
const ISO_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})$/i;
const LAST_MS = Date.UTC(10_000, 0) - 1;

/** The time of a send. The storage's time decides whether it is in the future. */
export interface Schedule {
  readonly at: Date | null;
  readonly issues: readonly Issue[];
}

/** Reads `scheduledAt`: a Date, or a text in ISO 8601 with a time zone, of the years 1970 to 9999. */
export function parseSchedule(scheduledAt: unknown): Schedule {
  if (scheduledAt === undefined || scheduledAt === null) {
    return { at: null, issues: [] };
  }
  const at =
    typeof scheduledAt === "string" && ISO_TIME.test(scheduledAt) && isCalendarDay(scheduledAt) ? new Date(scheduledAt) : scheduledAt;
  if (!(at instanceof Date) || !(at.getTime() >= 0 && at.getTime() <= LAST_MS)) {
    const message = `must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999, is ${shown(scheduledAt)}`;
    return { at: null, issues: [{ path: ["scheduledAt"], type: "datetime", message }] };
  }
  return { at: new Date(at), issues: [] };
}
