import { type Acting, type AuditAction, actorOf, type ChangeRequest, type DeliveryStorage, type Send } from "../delivery/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { validationError } from "../foundation/issue-list.ts";
import type { HubStorage } from "../hub/index.ts";
import type { ActivityStorage } from "./activity-storage.ts";

/** The parts that an operator's operations use. */
export interface OperatorContext extends BaseContext {
  readonly activity: ActivityStorage;
  readonly deliveries: DeliveryStorage;
  readonly hub: HubStorage;
  /** Retries the failed chains of a send. */
  retrySend(request: ChangeRequest): Promise<Send>;
}

const ACTIONS: readonly AuditAction[] = ["created", "updated", "cancelled", "retried", "deleted", "read"];

/** An action on a notification, with its actor. */
export interface AuditNote extends Acting {
  readonly action: AuditAction;
  readonly notificationId: string;
}

/** Writes a line of the audit log; see `Operator.note`. */
export async function noteAudit(context: OperatorContext, tenant: string, note: AuditNote): Promise<void> {
  const { action, notificationId } = note;
  const actor = actorOf(note);
  const issues: Issue[] = [];
  if (!ACTIONS.includes(action)) {
    issues.push({ path: ["action"], type: "value_error", message: `must be one of ${ACTIONS.join(", ")}` });
  }
  if (typeof notificationId !== "string" || !isUuid(notificationId)) {
    issues.push({ path: ["notificationId"], type: "value_error", message: "must be a notification's id, which is a UUID" });
  }
  if (issues.length > 0) {
    throw validationError(issues);
  }
  using _call = await context.ready();
  const entry = { action, actor, notificationId: notificationId.toLowerCase() };
  await context.activity.note(tenant, entry, new Date(context.clock.now()));
}
