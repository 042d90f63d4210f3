import type { ExportStep, StepRange } from "../foundation/json.ts";
import { type PrivacyContext, STEP_ROWS } from "./context.ts";
import { addressesOf, type NamedUser } from "./delete-user.ts";

/** Streams all data of a user; see `TenantNotifications.exportUser`. */
export async function* exportUser(context: PrivacyContext, { owner, recipients }: NamedUser): AsyncGenerator<string, void, undefined> {
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
  yield* lines(context, "audit", (range) => activity.exportAudit(owner, range));
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
