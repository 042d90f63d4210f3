import {
  type Acting,
  AUDIT_ACTIONS,
  AUDIT_TARGETS,
  type AuditAction,
  type AuditEntry,
  type AuditTargetKind,
  actorOf,
} from "../delivery/index.ts";
import { type ChecksOf, type MembersOf, pageChecks, requireInput, requireMembers, requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, oneOf, text, textIssue, whole } from "../foundation/parse-text.ts";
import type { OperatorContext } from "./context.ts";
import { idIssue, timeIssue } from "./parse-filter.ts";

const MAX_LINES = 1_000;
const DEFAULT_LINES = 100;
const NOTED: readonly AuditAction[] = ["created", "updated", "cancelled", "retried", "deleted", "read"];

/** An action on a notification, with its actor. */
export interface AuditNote extends Acting {
  readonly action: AuditAction;
  readonly notificationId: string;
  /** Whose item it was on. @default nobody's */
  readonly userId?: string;
}

/** The lines of the audit log to read. All given conditions must hold. */
export interface AuditInput {
  /** 1 to 1,000. @default 100 */
  readonly limit?: number;
  /** Only lines numbered below this: the last line of the page before. */
  readonly before?: number;
  /** Who did it, exactly. @default anybody */
  readonly actor?: string;
  /** @default any */
  readonly action?: AuditAction;
  /** What was done to this notification, which may be gone. @default anything */
  readonly notificationId?: string;
  /** What was done to anything of this kind. @default anything */
  readonly targetKind?: AuditTargetKind;
  /** What was done to this user, channel, retry run or processing record. @default anything */
  readonly targetId?: string;
  /** Written then or later. @default all */
  readonly from?: Date;
  /** Written before then. @default all */
  readonly until?: Date;
}

const AUDIT: ChecksOf<AuditInput> = {
  limit: pageChecks(MAX_LINES).limit,
  before: whole({ min: 0 }),
  actor: text(NAME_RULE),
  action: oneOf(AUDIT_ACTIONS),
  notificationId: idIssue,
  targetKind: oneOf(AUDIT_TARGETS),
  targetId: text(NAME_RULE),
  from: timeIssue,
  until: timeIssue,
};
const NOTE: MembersOf<AuditNote> = { action: true, notificationId: true, actor: true, userId: true };

/** Returns lines of the audit log that match; see `Operator.auditLog`. */
export async function readAudit(context: OperatorContext, tenant: string, input: AuditInput): Promise<readonly AuditEntry[]> {
  requireInput("auditLog", input, AUDIT);
  const { limit = DEFAULT_LINES, ...query } = input;
  using _call = await context.ready();
  return await context.deliveries.listAudit(tenant, { ...query, limit });
}

/** Writes a line of the audit log; see `Operator.note`. */
export async function writeNote(context: OperatorContext, tenant: string, entry: AuditNote): Promise<void> {
  requireMembers("note", entry, NOTE);
  const { action, notificationId, userId } = entry;
  const actor = actorOf(entry);
  const whose = userId === undefined ? null : textIssue(userId, ["userId"], NAME_RULE);
  requireNone([oneOf(NOTED)(action, "action"), idIssue(notificationId, "notificationId"), whose]);
  using _call = await context.ready();
  const target = userId === undefined ? {} : ({ targetKind: "user", targetId: userId } as const);
  const line = { action, actor, notificationId: notificationId.toLowerCase(), ...target };
  await context.activity.note(tenant, line, new Date(context.clock.now()));
}
