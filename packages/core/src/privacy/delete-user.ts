import { type Acting, type AuditNames, actorOf, NO_NOTIFICATION, placesOf } from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import { type MembersOf, requireList, requireMembers, requireNone } from "../foundation/issue-list.ts";
import type { ErasureStep } from "../foundation/json.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import { EMPTY_EPOCH } from "../inbox/index.ts";
import { isBeingDeleted } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import { type PrivacyContext, stepSize } from "./context.ts";

/** How a user is named beside their id, and who asks, for the audit log. */
export interface UserNames extends Acting {
  /** Addresses by which sends named them, such as `ann@example.com`. Sends that named their id need none. @default none */
  readonly addresses?: readonly string[];
}

/** The result of deleting a user. */
export interface DeletedUser {
  /** The number of rows that were removed, or emptied of the user's name. */
  readonly removed: number;
}

/** A user with all their names: the owner of the inbox, and the owners of deliveries, by id and by address. */
export interface NamedUser {
  readonly owner: Owner;
  readonly recipients: readonly Owner[];
  /** Who asks. */
  readonly actor: string;
}

const KNOWN: MembersOf<UserNames> = { addresses: true, actor: true };

/** Checks how a user is named. @throws BelfryError `VALIDATION_ERROR` */
export function namedUser(what: string, owner: Owner, names: UserNames): NamedUser {
  requireMembers(what, names, KNOWN);
  const { addresses = [] } = names;
  requireList(addresses, "addresses");
  requireNone(addresses.map((address, index) => textIssue(address, ["addresses", index], NAME_RULE)));
  return { owner, recipients: [owner.userId, ...addresses].map((userId) => ({ tenant: owner.tenant, userId })), actor: actorOf(names) };
}

/** The names of a user in the audit log. */
export function auditNames({ owner, recipients }: NamedUser): AuditNames {
  return { tenant: owner.tenant, names: recipients.map(({ userId }) => userId) };
}

/** Who asks, but for users themselves: they are named nowhere any more. */
export function actorBeside(user: NamedUser): string {
  return auditNames(user).names.includes(user.actor) ? "" : user.actor;
}

/** Removes all data of a user; see `TenantNotifications.deleteUser`. */
export async function deleteUser(context: PrivacyContext, user: NamedUser): Promise<DeletedUser> {
  using _call = await context.ready();
  const { owner, recipients } = user;
  const audited = auditNames(user);
  const { inbox, deliveries, digests, holds, retryRuns, decisions, topics, broadcasts, devices, suppressions, activity, clock, events } =
    context;
  const now = () => new Date(clock.now());
  // Subscriptions first: a fan-out that is under way would find them.
  let removed = await untilDone(context, (limit) => topics.erase(owner, limit));
  removed += await untilDone(context, (limit) => broadcasts.erase(owner, limit, now()));
  removed += await untilDone(context, (limit) => devices.erase(owner, limit));
  // Then deliveries: one that is still to come would write an item into the inbox.
  for (const recipient of recipients) {
    removed += await untilDone(context, async (limit) => {
      const step = await deliveries.erase(recipient, limit, now());
      for (const changed of step.sends.filter((one) => !isBeingDeleted(one))) {
        events.emit("send.changed", changed);
      }
      return step;
    });
    await holds.eraseCircuits(recipient.userId);
    await holds.erasePauses(recipient);
    await retryRuns.erase(recipient);
  }
  removed += await untilDone(context, (limit) => suppressions.erase(owner.tenant, addressesOf(context, recipients), limit));
  removed += await untilDone(context, (limit) => digests.erase(owner, limit));
  removed += await untilDone(context, (limit) => inbox.erase(owner, limit));
  removed += await untilDone(context, (limit) => decisions.erase(owner, limit));
  removed += await eraseAudit(context, audited);
  // Once more: a delivery that was under way may have written its item meanwhile.
  removed += await untilDone(context, (limit) => inbox.erase(owner, limit));
  const actor = actorBeside(user);
  await activity.note(owner.tenant, { action: "user_deleted", actor, notificationId: NO_NOTIFICATION, targetKind: "user" }, now());
  context.contents.forget(owner);
  // Whoever follows the inbox finds that its numbers began anew.
  context.publish([{ ...owner, change: "created", seq: 1, epoch: EMPTY_EPOCH }]);
  return { removed };
}

/** The names of a user that may be addresses, each in the forms in which the channels compare them. */
export function addressesOf({ channels }: Pick<PrivacyContext, "channels">, recipients: readonly Owner[]): readonly string[] {
  const names = recipients.map(({ userId }) => userId);
  return [...new Set([...names, ...placesOf(channels.values(), names).map(({ address }) => address)])];
}

/** Takes steps until nothing is left, and answers how many rows they removed. */
async function untilDone(context: PrivacyContext, step: (limit: number) => Promise<ErasureStep>): Promise<number> {
  const size = stepSize(context);
  for (let removed = 0; ; await nextTurn()) {
    const done = await size.step(step);
    removed += done.removed;
    if (done.isDone) {
      return removed;
    }
  }
}

async function eraseAudit(context: PrivacyContext, names: AuditNames): Promise<number> {
  let after: string | null = null;
  return await untilDone(context, async (limit) => {
    const { removed, next } = await context.activity.eraseAudit(names, { after, limit });
    after = next;
    return { removed, isDone: next === null };
  });
}
