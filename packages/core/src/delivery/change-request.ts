import { validationError } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";

/** A request to change a send, with its actor. */
export interface ChangeRequest {
  readonly tenant: string;
  readonly id: string;
  readonly actor?: string;
}

/** Returns the actor for the audit log. @default "host" */
export function actorOf({ actor = "host" }: { readonly actor?: string }): string {
  const issue = textIssue(actor, ["actor"], NAME_RULE);
  if (issue) {
    throw validationError([issue]);
  }
  return actor;
}
