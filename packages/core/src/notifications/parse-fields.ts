import { IssueList } from "../foundation/issue-list.ts";
import { describe, NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { UntypedCreateInput } from "./create-input.ts";
import { DEFAULT_TYPE, NOTIFICATION_DEFAULTS, type Notification } from "./notification.ts";

/** The fields of a notification that whoever creates it names alike, by `create` or by `send`. */
export type SharedFields = Pick<Notification, "type" | "priority">;

const PRIORITIES: readonly unknown[] = ["low", "normal", "high"] satisfies readonly Notification["priority"][];

/** Checks those fields, and gives what is left out its default. */
export function parseFields(input: Partial<Pick<UntypedCreateInput, keyof SharedFields>>): {
  readonly fields: SharedFields;
  readonly issues: IssueList;
} {
  const { type = DEFAULT_TYPE, priority = NOTIFICATION_DEFAULTS.priority } = input;
  const issues = new IssueList();
  issues.add(textIssue(type, ["type"], NAME_RULE));
  if (!PRIORITIES.includes(priority)) {
    const got = typeof priority === "string" ? JSON.stringify(priority) : describe(priority);
    issues.add({ path: ["priority"], type: "enum", message: `must be "low", "normal" or "high", got ${got}` });
  }
  return { fields: { type, priority }, issues };
}
