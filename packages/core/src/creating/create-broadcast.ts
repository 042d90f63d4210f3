import type { BroadcastContext, NewBroadcast } from "../audiences/index.ts";
import { createSend, type DeliveryContext, parseSend, type SendRequest } from "../delivery/index.ts";
import type { Issue } from "../foundation/errors.ts";
import { requireNone, validationError } from "../foundation/issue-list.ts";
import { shown } from "../foundation/parse-text.ts";
import type { Created } from "../inbox/index.ts";
import {
  channelsOfType,
  EVERYONE,
  INBOX_CHANNEL,
  type NotificationTypes,
  parseExcept,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";
import { type CreateRequest, parseForEveryone } from "./parse-create.ts";
import { type PreparedNotification, preparedSend, requireHandle } from "./transactional.ts";

/** The parts that broadcasts to inboxes are created with. */
export type CreateBroadcastContext<Tx = unknown, Written extends void | Promise<void> = void | Promise<void>> = CreatingContext<
  Tx,
  Written
> &
  DeliveryContext<Tx, Written> &
  Pick<BroadcastContext<Tx, Written>, "broadcasts" | "placeConnected" | "readOn">;

/** The most users that a broadcast may leave out: every placing looks at all of them. */
const MAX_EXCEPT = 1_000;

/** Whether a create is for everyone. Over the wire, nobody may ask for that: there it is the id of a user. */
export function isForEveryone({ input, rules }: CreateRequest): boolean {
  return rules.declaredTypesOnly && typeof input === "object" && input !== null && input.to === EVERYONE;
}

/** Creates a broadcast in its own transaction. Resolves after the commit: each user gets it later. */
export async function createBroadcast(context: CreateBroadcastContext, request: CreateRequest): Promise<Created> {
  if (isTracked(context, request)) {
    const { send } = await createSend(context, sendRequest(context, request));
    return { notification: send, items: [] };
  }
  const broadcast = await parseBroadcast(context, request);
  using _call = await context.ready();
  await context.broadcasts.create(broadcast);
  announceBroadcast(context, broadcast);
  return { notification: broadcast.notification, items: [] };
}

/** Checks a broadcast that is to be written inside the host's transaction. */
export async function prepareBroadcast<Tx, Written extends void | Promise<void>>(
  context: CreateBroadcastContext<Tx, Written>,
  request: CreateRequest,
): Promise<PreparedNotification<Tx, Written>> {
  if (isTracked(context, request)) {
    const parsed = await parseSend(context, sendRequest(context, request));
    using _call = await context.ready();
    return preparedSend<Tx, Written>(context, parsed);
  }
  const broadcast = await parseBroadcast(context, request);
  using _call = await context.ready();
  return {
    notification: broadcast.notification,
    write(tx) {
      context.requireRunning();
      requireHandle(tx);
      return context.broadcasts.createWithin(tx, broadcast, () => announceBroadcast(context, broadcast));
    },
  };
}

async function parseBroadcast(context: CreateBroadcastContext, request: CreateRequest): Promise<NewBroadcast> {
  const { input } = request;
  const terms = parseTerms(input);
  return { ...terms, notification: await parseForEveryone(context, request) };
}

/** Whether a broadcast has a status, which can be asked for: one to inboxes alone, at once, is no more than a row. */
function isTracked({ types }: Pick<CreatingContext, "types">, { input }: CreateRequest): boolean {
  return input.idempotencyKey !== undefined || (input.scheduledAt ?? null) !== null || othersOf(types, input).length > 0;
}

/** The channels of an input beside the inbox. What is no list is left to other checks. */
function othersOf(types: NotificationTypes, { type = "", channels }: UntypedCreateInput): readonly string[] {
  const named: unknown = channels ?? channelsOfType(Object.hasOwn(types, type) ? types[type] : undefined) ?? [];
  return Array.isArray(named) ? named.filter((name) => name !== INBOX_CHANNEL) : [];
}

/** A broadcast as a notification with deliveries, though those over the inbox are none. */
function sendRequest(
  { types, directory }: Pick<CreateBroadcastContext, "types" | "directory">,
  { input, ...request }: CreateRequest,
): SendRequest {
  const others = othersOf(types, input);
  if (others.length > 0 && directory?.everyone === undefined) {
    const message =
      `reach everyone over ${others.map(shown).join(", ")} only where the service's directory pages its users: ` +
      'give NotificationService a directory with everyone(cursor), or pass channels: ["inbox"]';
    throw validationError([valueIssue("channels", message)]);
  }
  return { ...request, input, rules: { isContract: false }, everyone: parseTerms(input) };
}

/** Checks what a broadcast says beside its notification. */
export function parseTerms({ standing = false, except, fallback, topic }: UntypedCreateInput): Omit<NewBroadcast, "notification"> {
  const left = [...parseExcept(except)];
  requireNone([
    typeof standing === "boolean" ? null : valueIssue("standing", `must be true or false, got ${shown(standing)}`),
    left.length > MAX_EXCEPT ? valueIssue("except", `must name at most ${MAX_EXCEPT} users of everyone, names ${left.length}`) : null,
    topic === undefined ? null : valueIssue("topic", "cannot be given for everyone: its subscribers are among them"),
    fallback ? valueIssue("fallback", "cannot be given for everyone: name the users who need one in a notification of their own") : null,
  ]);
  return { isStanding: standing, except: left };
}

function valueIssue(name: string, message: string): Issue {
  return { path: [name], type: "value_error", message };
}

/** Has a committed broadcast placed for those who are connected, and tells listeners about it. */
export function announceBroadcast(context: CreateBroadcastContext, { notification }: NewBroadcast): void {
  const { tenant, id, type } = notification;
  context.placeConnected(tenant);
  context.events.emit("notification.created", { tenant, id, type, notification, recipients: 0 });
}
