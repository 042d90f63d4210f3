import { BelfryError, type Issue } from "../foundation/errors.ts";
import { IssueList, validationError } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { codePoints, NAME_RULE, TITLE_RULE, textIssue } from "../foundation/parse-text.ts";
import { linkIssues } from "../notifications/index.ts";
import type { DeliveryContext } from "./context.ts";
import { INBOX_CHANNEL } from "./delivery.ts";
import type { SendChanges } from "./send.ts";

const MAX_CONTENT = 10_000;

/** Checks a send's content for its channels and returns the content to store. */
export function checkContent(
  { channels }: Pick<DeliveryContext, "channels">,
  { subject, content, meta }: SendChanges,
  names: readonly string[],
): SendChanges {
  const issues = new IssueList();
  issues.add(subject === undefined ? null : subjectIssue(subject));
  issues.add(content === undefined ? null : contentIssue(content));
  const parsed = meta === undefined ? undefined : parseJsonObject(meta, ["meta"]);
  if (parsed && "issues" in parsed) {
    issues.addList(parsed.issues);
  } else if (parsed) {
    const type = parsed.value.notification_type;
    issues.add(type === undefined ? null : textIssue(type, ["meta", "notification_type"], NAME_RULE));
    issues.addAll(linkIssues(parsed.value, ["meta"]));
    const ofChannels = names.flatMap((name) => channels.get(name)?.invalidMeta?.(parsed.value) ?? []);
    issues.addAll(ofChannels.map((message) => ({ path: ["meta"], type: "value_error", message })));
  }
  issues.done();
  return {
    ...(subject !== undefined && { subject }),
    ...(content !== undefined && { content }),
    ...(parsed && "value" in parsed && { meta: parsed.value }),
  };
}

/** The data of a send's inbox items: what it was sent with, and its room as `room_id`. The type stands beside the data. */
export function dataOf({ notification_type: _, ...data }: JsonObject, roomId: string | null): JsonObject {
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
    const message = `must not be empty: over ${name}, nothing would be delivered; give subject or content`;
    throw validationError([{ path: ["content"], type: "missing", message }]);
  }
}

function isBlank({ subject, content, meta }: Required<SendChanges>): boolean {
  return subject.trim() === "" && content.trim() === "" && Object.keys(meta).length === 0;
}

function subjectIssue(subject: string): Issue | null {
  const issue = textIssue(subject, ["subject"], TITLE_RULE);
  // It may become the header of a mail.
  return issue ?? (/[\r\n]/.test(subject) ? { path: ["subject"], type: "value_error", message: "must be one line" } : null);
}

function contentIssue(content: string): Issue | null {
  const length = typeof content === "string" ? codePoints(content, MAX_CONTENT) : 0;
  if (length > MAX_CONTENT) {
    throw new BelfryError("CONTENT_TOO_LONG", `The content has ${length} code points; at most ${MAX_CONTENT} are allowed.`, {
      details: { max_length: MAX_CONTENT, current_length: length },
    });
  }
  return textIssue(content, ["content"], { maxLength: MAX_CONTENT });
}
