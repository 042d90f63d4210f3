import { IssueList } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { UntypedCreateInput } from "./create-input.ts";
import { DEFAULT_TYPE, type Notification } from "./notification.ts";

/** The fields of a notification that whoever creates it names alike, by `create` or by `send`. */
export type SharedFields = Pick<Notification, "type">;

/** Checks those fields, and gives what is left out its default. */
export function parseFields({ type = DEFAULT_TYPE }: Partial<Pick<UntypedCreateInput, keyof SharedFields>>): {
  readonly fields: SharedFields;
  readonly issues: IssueList;
} {
  const issues = new IssueList();
  issues.add(textIssue(type, ["type"], NAME_RULE));
  return { fields: { type }, issues };
}
