import { BelfryError, type Issue } from "../foundation/errors.ts";
import { IssueList, validationError } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { codePoints, NAME_RULE, oneLineTitleIssue, textIssue } from "../foundation/parse-text.ts";
import { hasContents, INBOX_CHANNEL, linkIssues, type Notification, type NotificationType, RENDERED } from "../notifications/index.ts";
import type { DeliveryContext } from "./context.ts";
import type { SendChanges } from "./send.ts";

const MAX_MESSAGE = 10_000;

/** What the content is for. */
export interface ContentUse {
  /** The names of the channels that deliver it. */
  readonly names: readonly string[];
  /** Whether a contract wrote it, whose data may name the type. */
  readonly isContract: boolean;
}

/** Checks a notification's content for its channels and returns the content to store. */
export function checkContent(
  { channels }: Pick<DeliveryContext, "channels">,
  { title, message, data }: SendChanges,
  { names, isContract }: ContentUse,
): SendChanges {
  const issues = new IssueList();
  issues.add(title === undefined ? null : oneLineTitleIssue(title, "title"));
  issues.add(message === undefined ? null : messageIssue(message));
  // A contract's word for it, in what is wrong with it.
  const place = isContract ? "meta" : "data";
  const parsed = data === undefined ? undefined : parseJsonObject(data, [place]);
  if (parsed && "issues" in parsed) {
    issues.addList(parsed.issues);
  } else if (parsed) {
    const type = isContract ? parsed.value.notification_type : undefined;
    issues.add(type === undefined ? null : textIssue(type, [place, "notification_type"], NAME_RULE));
    issues.addAll(linkIssues(parsed.value, [place]));
    const ofChannels = names.flatMap((name) => channels.get(name)?.invalidData?.(parsed.value) ?? []);
    issues.addAll(ofChannels.map((problem) => ({ path: [place], type: "value_error", message: problem })));
  }
  issues.done();
  return {
    ...(title !== undefined && { title }),
    ...(message !== undefined && { message }),
    ...(parsed && "value" in parsed && { data: parsed.value }),
  };
}

/** The data of a notification's items: what it was created with, and its room as `room_id`. A contract's type stands beside the data. */
export function dataOf(given: JsonObject, roomId: string | null, { isContract }: Pick<ContentUse, "isContract">): JsonObject {
  const { notification_type: _, ...untyped } = given;
  const data = isContract ? untyped : given;
  return { ...data, ...(roomId === null ? {} : { room_id: roomId }) } as JsonObject;
}

/** Refuses what a channel would deliver with nothing in it: a misspelt or forgotten text shows at its receiver otherwise. */
export function requireContent(
  { channels }: Pick<DeliveryContext, "channels">,
  content: Required<SendChanges>,
  names: readonly string[],
): void {
  const isEmpty = (name: string) => name !== INBOX_CHANNEL && (channels.get(name)?.isEmpty ?? isBlank)(content);
  const name = names.find(isEmpty);
  if (name !== undefined) {
    const message = `must not be empty: over ${name}, nothing would be delivered; give title or message`;
    throw validationError([{ path: ["message"], type: "missing", message }]);
  }
}

/** Those of the channels for which the type of a notification makes no contents of their own. */
export function withoutContents(
  names: readonly string[],
  declared: NotificationType | undefined,
  { rendered }: Pick<Notification, "rendered">,
): readonly string[] {
  return ((rendered ?? 0) & RENDERED.contents) === 0 ? names : names.filter((name) => !hasContents(declared, name));
}

function isBlank({ title, message, data }: Required<SendChanges>): boolean {
  return title.trim() === "" && message.trim() === "" && Object.keys(data).length === 0;
}

function messageIssue(message: string): Issue | null {
  const length = typeof message === "string" ? codePoints(message, MAX_MESSAGE) : 0;
  if (length > MAX_MESSAGE) {
    throw new BelfryError("CONTENT_TOO_LONG", `The message has ${length} code points; at most ${MAX_MESSAGE} are allowed.`, {
      details: { max_length: MAX_MESSAGE, current_length: length },
    });
  }
  return textIssue(message, ["message"], { maxLength: MAX_MESSAGE });
}
