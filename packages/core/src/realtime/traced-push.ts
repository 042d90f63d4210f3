import type { Owner } from "../foundation/context.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { InboxEvent } from "../inbox/index.ts";

/** Tells a listener of an event. A new item is followed, for traces. */
export function tellTraced(
  tracing: Tracing | null,
  { owner: { tenant }, event: { change, item } }: { readonly owner: Owner; readonly event: InboxEvent },
  tell: () => void,
): void {
  if (tracing === null || change !== "created" || item === null) {
    tell();
  } else {
    tracing.runNow({ name: "push", tenant, notificationId: item.id, facts: {} }, tell);
  }
}
