import { validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";

/** Which send somebody wants to change, and who. */
export interface ChangeRequest {
  readonly tenant: string;
  readonly id: string;
  readonly actor?: string;
}

/** Who acts, for the audit log: the host itself unless it named somebody. */
export function actorOf({ actor = "host" }: { readonly actor?: string }): string {
  const issue = textIssue(actor, ["actor"], NAME_RULE);
  if (issue) {
    throw validationError([issue]);
  }
  return actor;
}
