import { type MembersOf, requireMembers } from "../foundation/issue-list.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { MESSAGE_RULE, NAME_RULE, TITLE_RULE, textIssue } from "../foundation/parse-text.ts";
import type { NewNotification } from "../inbox/index.ts";
import {
  declaredType,
  type Notification,
  type NotificationKind,
  parseData,
  parseFields,
  parseRecipients,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import type { CreatingContext } from "./context.ts";

const CREATE_MEMBERS: MembersOf<UntypedCreateInput> = {
  to: true,
  type: true,
  title: true,
  message: true,
  data: true,
  source: true,
  sender: true,
  priority: true,
};

const TEXTS = [
  ["title", TITLE_RULE],
  ["message", MESSAGE_RULE],
  ["source", NAME_RULE],
  ["sender", NAME_RULE],
] as const;

/** The rules that a caller sets in addition to the input. */
export interface CreateRules {
  readonly kind: NotificationKind;
  /** Whether an undeclared type is refused. Contracts accept it, because their senders do not know the types. */
  readonly declaredTypesOnly: boolean;
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
}

/** Checks the input of a create and makes the entry to write, with its id and time. */
export async function parseCreate(
  context: Pick<CreatingContext, "clock" | "ids" | "types">,
  { tenant, input, rules, id = context.ids.next() }: CreateRequest,
): Promise<NewNotification> {
  requireMembers("create", input, CREATE_MEMBERS);
  const { fields, issues } = parseFields(input);
  for (const [name, rule] of TEXTS) {
    issues.add(textIssue(input[name] ?? "-", [name], rule));
  }
  const to = parseRecipients(input.to);
  if (!issues.isEmpty || "issues" in to) {
    for (const parsed of [to, parseJsonObject(input.data ?? {}, ["data"])]) {
      if ("issues" in parsed) {
        issues.addList(parsed.issues);
      }
    }
    throw issues.error();
  }
  const data = await parseData(input.data, declaredType(context, fields.type, rules));
  const notification: Notification = {
    id,
    tenant,
    kind: rules.kind,
    ...fields,
    title: input.title ?? "",
    message: input.message ?? "",
    data,
    source: input.source ?? null,
    sender: input.sender ?? null,
    createdAt: new Date(context.clock.now()),
  };
  return { notification, recipients: to.recipients };
}
