import { NO_NOTIFICATION } from "../delivery/index.ts";
import type { ExportStep, StepRange } from "../foundation/json.ts";
import { type PrivacyContext, STEP_ROWS } from "./context.ts";
import { actorBeside, addressesOf, auditNames, type NamedUser } from "./delete-user.ts";

/** Streams all data of a user; see `TenantNotifications.exportUser`. The audit log has a line before the first of them is handed out. */
export async function* exportUser(context: PrivacyContext, user: NamedUser): AsyncGenerator<string, void, undefined> {
  let isNoted = false;
  for await (const line of linesOf(context, user)) {
    if (!isNoted) {
      await noteExport(context, user, user.owner.userId);
      isNoted = true;
    }
    yield line;
  }
  if (!isNoted) {
    // Of somebody of whom nothing is kept, the log must not keep the name either.
    await noteExport(context, user, null);
  }
}

async function noteExport(context: PrivacyContext, user: NamedUser, targetId: string | null): Promise<void> {
  const actor = targetId === null ? actorBeside(user) : user.actor;
  const line = { action: "user_exported", actor, notificationId: NO_NOTIFICATION, targetKind: "user", targetId } as const;
  await page(context, () => context.activity.note(user.owner.tenant, line, new Date(context.clock.now())));
}

async function* linesOf(context: PrivacyContext, user: NamedUser): AsyncGenerator<string, void, undefined> {
  const { owner, recipients } = user;
  const { inbox, deliveries, digests, decisions, topics, broadcasts, devices, suppressions, activity } = context;
  yield* lines(context, "item", (range) => inbox.export(owner, range));
  yield* lines(context, "change", (range) => inbox.exportChanges(owner, range));
  for (const recipient of recipients) {
    yield* lines(context, "delivery", (range) => deliveries.export(recipient, range));
  }
  yield* lines(context, "digest", (range) => digests.export(owner, range));
  yield* lines(context, "subscription", (range) => topics.export(owner, range));
  yield* lines(context, "exception", (range) => broadcasts.export(owner, range));
  yield* lines(context, "device", (range) => devices.export(owner, range));
  yield* lines(context, "suppression", (range) => suppressions.export(owner.tenant, addressesOf(context, recipients), range));
  yield* lines(context, "choice", (range) => decisions.exportChoices(owner, range));
  yield* lines(context, "settings", () => decisions.exportSettings(owner));
  yield* lines(context, "audit", (range) => activity.exportAudit(auditNames(user), range));
}

/** Reads page by page. A stop of the service waits for the page at hand only, however slowly the lines are taken. */
async function* lines(context: PrivacyContext, record: string, step: (range: StepRange) => Promise<ExportStep<object>>) {
  for (let after: string | null = null; ; ) {
    const { records, next } = await page(context, () => step({ after, limit: STEP_ROWS }));
    for (const one of records) {
      yield `${JSON.stringify({ record, ...one })}\n`;
    }
    if (next === null) {
      return;
    }
    after = next;
  }
}

async function page<Read>(context: PrivacyContext, read: () => Promise<Read>): Promise<Read> {
  using _call = await context.ready();
  return await read();
}
