import { IssueList, validationError } from "../foundation/issue-list.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { describe, MESSAGE_RULE, NAME_RULE, type TextRule, TITLE_RULE, textIssue } from "../foundation/parse-text.ts";
import type { NewNotification } from "../inbox/index.ts";
import {
  DEFAULT_TYPE,
  declaredType,
  type NotificationKind,
  parseData,
  parseRecipients,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";

/** What a creator outside of `create` decides beside the input. */
export interface CreateRules {
  readonly kind: NotificationKind;
  /** Whether a type that the host did not declare is refused. Contracts accept it: their senders know no types. */
  readonly declaredTypesOnly: boolean;
}

/** The rules of a host's own creates. */
export const HOST_RULES: CreateRules = { kind: "message", declaredTypesOnly: true };

/** A create, before it is checked. */
export interface CreateRequest {
  readonly tenant: string;
  readonly input: UntypedCreateInput;
  readonly rules: CreateRules;
  /** The notification's id. @default a new one */
  readonly id?: string;
}

/** Checks the input of a create and makes the entry to be written, its id and time included. */
export async function parseCreate(
  context: Pick<CreatingContext, "clock" | "ids" | "types">,
  { tenant, input, rules, id = context.ids.next() }: CreateRequest,
): Promise<NewNotification> {
  if (typeof input !== "object" || input === null) {
    throw validationError([{ path: [], type: "dict_type", message: `expected an object like { to, title }, got ${describe(input)}` }]);
  }
  const type = input.type ?? DEFAULT_TYPE;
  const issues = textIssues(input, type);
  const to = parseRecipients(input.to);
  if (!issues.isEmpty || "issues" in to) {
    for (const parsed of [to, parseJsonObject(input.data ?? {}, ["data"])]) {
      if ("issues" in parsed) {
        issues.addList(parsed.issues);
      }
    }
    throw issues.error();
  }
  const data = await parseData(input.data, declaredType(context, type, rules));
  const notification = {
    id,
    tenant,
    kind: rules.kind,
    type,
    title: input.title ?? "",
    message: input.message ?? "",
    data,
    source: input.source ?? null,
    sender: input.sender ?? null,
    createdAt: new Date(context.clock.now()),
  };
  return { notification, recipients: to.recipients };
}

function textIssues(input: UntypedCreateInput, type: string): IssueList {
  const rules: readonly [string, unknown, TextRule][] = [
    ["type", type, NAME_RULE],
    ["title", input.title ?? "", TITLE_RULE],
    ["message", input.message ?? "", MESSAGE_RULE],
    ["source", input.source ?? "-", NAME_RULE],
    ["sender", input.sender ?? "-", NAME_RULE],
  ];
  const issues = new IssueList();
  for (const [field, value, rule] of rules) {
    issues.add(textIssue(value, [field], rule));
  }
  return issues;
}
