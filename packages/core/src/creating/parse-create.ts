import { wantingItems } from "../audiences/index.ts";
import { obeysChoices, wantsItem } from "../decisions/index.ts";
import type { JsonObject } from "../foundation/json.ts";
import type { MaybePromise } from "../foundation/maybe-promise.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { MESSAGE_RULE, optionalTextIssue, TITLE_RULE } from "../foundation/parse-text.ts";
import type { NewNotification } from "../inbox/index.ts";
import {
  declaredType,
  groupOfType,
  INBOX_CHANNEL,
  leaveOut,
  type Notification,
  type NotificationKind,
  type NotificationType,
  newAudience,
  type ParsedRecipients,
  parseData,
  parseExcept,
  parseFields,
  parseRecipients,
  pickInPieces,
  type RenderedTexts,
  rendersTexts,
  renderTexts,
  type SharedFields,
  type Texts,
  type TopicAudience,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import { asCalled, membersOf } from "./as-called.ts";
import type { CreatingContext } from "./context.ts";

// Every create checks these: the paths are made once.
const TITLE = ["title"];
const MESSAGE = ["message"];

/** The rules that a caller sets in addition to the input. */
export interface CreateRules {
  readonly kind: NotificationKind;
  /** Whether an undeclared type is refused. Contracts accept it, because their senders do not know the types. */
  readonly declaredTypesOnly: boolean;
  /** The category that a contract's sender named. @default that of the type */
  readonly category?: string | undefined;
}

/** The rules of a host's own creates. */
export const HOST_RULES: CreateRules = { kind: "message", declaredTypesOnly: true };

/** A request to create a notification, before it is checked. */
export interface CreateRequest {
  readonly tenant: string;
  readonly input: UntypedCreateInput;
  readonly rules: CreateRules;
  /** The notification's id. @default a new one */
  readonly id?: string;
  /** The topics of its audience, and who subscribes. @default it has none */
  readonly topics?: TopicAudience;
  /** Its data, where they were read before. @default those of the input are read */
  readonly data?: Promise<JsonObject>;
}

type ParseContext = Pick<CreatingContext, "clock" | "ids" | "types" | "locale" | "preferences" | "ready">;

/**
 * Checks the input of a create and makes the entry to write, with its id and time: at once, unless the list of recipients is
 * long or a schema has to look at the data.
 */
export function parseCreate(context: ParseContext, request: CreateRequest): NewNotification | Promise<NewNotification> {
  const { fields, issues } = parseFields(request.input, context.clock);
  if (request.topics !== undefined) {
    return parseForTopics(context, request, request.topics);
  }
  const to = parseRecipients(request.input.to);
  if (to instanceof Promise) {
    // The list is a copy already.
    const kept = asCalled(context, { ...request, input: { ...membersOf(request.input), to: [] } });
    return to.then((recipients) => parseFor(context, kept, { fields, issues, to: recipients }));
  }
  return parseFor(context, request, { fields, issues, to });
}

/** Makes the entry of an audience with topics: its users are found already, or are found later. */
async function parseForTopics(context: ParseContext, request: CreateRequest, topics: TopicAudience): Promise<NewNotification> {
  const parsed = parseFields(request.input, context.clock);
  const { notification } = await entryFor(context, request, requireForType(context, request, { ...parsed, to: { recipients: [] } }));
  using _call = await context.ready();
  const members = await wantingItems(context, { notification }, topics.members ?? []);
  const audience = newAudience(topics, { place: 0, hasDeliveries: false });
  return { notification, recipients: members.map(({ userId }) => userId), audience };
}

interface ParsedFields extends ReturnType<typeof parseFields> {
  readonly to: ParsedRecipients;
}

function parseFor(context: ParseContext, request: CreateRequest, parsed: ParsedFields): NewNotification | Promise<NewNotification> {
  const { except } = request.input;
  const forType = requireForType(context, request, parsed);
  const made = entryFor(context, request, forType);
  const entry = except === undefined ? made : withoutExcepted(made, Array.isArray(except) ? except.slice() : except);
  const { declared } = forType;
  return declared !== undefined && obeysChoices(declared, INBOX_CHANNEL) ? wanted(context, entry, declared) : entry;
}

interface ForType {
  readonly fields: SharedFields;
  readonly recipients: readonly string[];
  readonly declared: NotificationType | undefined;
}

/** Finds the declaration of the type. Throws for what is wrong with the input; where anything is, also for data that have no form in JSON. */
function requireForType(context: ParseContext, { input, rules }: CreateRequest, { fields, issues, to }: ParsedFields): ForType {
  issues.add(optionalTextIssue(input.title, TITLE, TITLE_RULE));
  issues.add(optionalTextIssue(input.message, MESSAGE, MESSAGE_RULE));
  if (!issues.isEmpty || "issues" in to) {
    for (const parsed of [to, parseJsonObject(input.data ?? {}, ["data"])]) {
      if ("issues" in parsed) {
        issues.addList(parsed.issues);
      }
    }
    throw issues.error();
  }
  return { fields, recipients: to.recipients, declared: declaredType(context, fields.type, rules) };
}

/** @param except is checked after everything else */
function withoutExcepted(made: MaybePromise<NewNotification>, except: unknown): NewNotification | Promise<NewNotification> {
  if (made instanceof Promise) {
    return made.then((entry) => withoutExcepted(entry, except));
  }
  const { notification } = made;
  const recipients = leaveOut(made.recipients, parseExcept(except));
  return recipients instanceof Promise ? recipients.then((kept) => ({ notification, recipients: kept })) : { notification, recipients };
}

/**
 * Checks the input of a create for everyone, and makes its notification. Whom it reaches is decided when it is placed.
 */
export async function parseForEveryone(context: ParseContext, request: CreateRequest): Promise<Notification> {
  const parsed = parseFields(request.input, context.clock);
  const { except: _, ...input } = request.input;
  return (await parseFor(context, { ...request, input }, { ...parsed, to: { recipients: [] } })).notification;
}

/** Leaves out the users who switched off the inbox for a type that lets them. */
async function wanted(
  context: ParseContext,
  made: NewNotification | Promise<NewNotification>,
  declared: NotificationType,
): Promise<NewNotification> {
  const entry = await made;
  const { notification, recipients } = entry;
  using _call = await context.ready();
  const kept = await pickInPieces(recipients, async (piece) => {
    const lookup = await context.preferences.of(notification.tenant, piece);
    return piece.filter((userId) => wantsItem(notification, declared, lookup(userId)));
  });
  return { notification, recipients: kept };
}

function entryFor(context: ParseContext, request: CreateRequest, forType: ForType): NewNotification | Promise<NewNotification> {
  const { input } = request;
  const data = request.data ?? parseData(input.data, forType.declared);
  return data instanceof Promise || rendersTexts(forType.declared, input)
    ? renderedEntry(context, { ...request, input: { ...input } }, { forType, data })
    : entryOf(context, request, { forType, data, texts: input });
}

interface Unrendered {
  readonly forType: ForType;
  readonly data: MaybePromise<JsonObject>;
}

/** Apart from {@link entryFor}, since every create would pay for the closure. @param request with a copy of its input, which may change meanwhile */
function renderedEntry(
  context: ParseContext,
  request: CreateRequest,
  { forType, data }: Unrendered,
): NewNotification | Promise<NewNotification> {
  const { declared, fields } = forType;
  const { input } = request;
  const isRendered = rendersTexts(declared, input);
  const rendered = async (stored: JsonObject): Promise<NewNotification> => {
    const texts = isRendered ? await renderTexts(context, { declared, data: stored, type: fields.type, given: input }) : input;
    return entryOf(context, request, { forType, data: stored, texts });
  };
  return data instanceof Promise ? data.then(rendered) : rendered(data);
}

interface Parsed {
  readonly forType: ForType;
  readonly data: JsonObject;
  readonly texts: Texts | RenderedTexts;
}

function entryOf(context: ParseContext, request: CreateRequest, { forType, data, texts }: Parsed): NewNotification {
  const { fields, recipients, declared } = forType;
  const { tenant, input, rules, id = context.ids.next() } = request;
  const notification: Notification = {
    id,
    tenant,
    kind: rules.kind,
    type: fields.type,
    priority: fields.priority,
    source: fields.source,
    actor: fields.actor,
    url: texts.url ?? null,
    actions: fields.actions,
    title: texts.title ?? "",
    message: texts.message ?? "",
    data: (input.roomId ?? null) === null ? data : { ...data, room_id: input.roomId as string },
    createdAt: new Date(context.clock.now()),
    rendered: "rendered" in texts ? texts.rendered : null,
    expiresAt: fields.expiresAt,
    category: rules.category ?? declared?.category ?? null,
    group: fields.group ?? groupOfType(context, { type: fields.type, declared, data }),
    replaceKey: fields.replaceKey,
  };
  return { notification, recipients };
}
