import { type Acting, actorOf } from "../delivery/index.ts";
import { BelfryError } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { announceItems } from "../inbox/index.ts";
import { nextTurn } from "../work/timing.ts";
import { type PrivacyContext, StepSize } from "./context.ts";

/** Deletes a notification everywhere; see `NotificationService.delete`. */
export async function deleteNotification(
  context: PrivacyContext,
  tenant: string,
  { id, ...acting }: Acting & { readonly id: string },
): Promise<void> {
  const actor = actorOf(acting);
  using _call = await context.ready();
  if (!isUuid(id)) {
    throw unknownNotification(id);
  }
  const name = id.toLowerCase();
  const size = new StepSize(context.clock);
  for (let isFirst = true; ; isFirst = false) {
    const at = new Date(context.clock.now());
    const step = await size.step((limit) => context.activity.deleteNotification(tenant, name, { limit, at, actor }));
    if (step === null && isFirst) {
      throw unknownNotification(id);
    }
    const deleted = (step?.items ?? []).map(({ epoch, rev, lastSeq, ...item }) => ({ item, counts: { epoch, rev, lastSeq } }));
    announceItems(context, "deleted", deleted);
    // Null after the first step: another call has finished it.
    if (step?.isDone ?? true) {
      return;
    }
    await nextTurn();
  }
}

function unknownNotification(id: unknown): BelfryError {
  return new BelfryError("NOT_FOUND", `There is no notification ${JSON.stringify(String(id).slice(0, 64))}.`);
}
