import { type Owner, tellGuarded } from "../foundation/context.ts";
import type { Logger } from "../foundation/logger.ts";
import type { Tracing } from "../foundation/tracing.ts";
import type { InboxEvent, InboxListener } from "../inbox/index.ts";

/** An event, and who is told of it. */
interface Push {
  readonly listener: Pick<InboxListener, "onEvent">;
  readonly owner: Owner;
  readonly event: InboxEvent;
}

/** Tells a listener of an event; an error of its own is logged. A new item is followed, for traces. */
export function tracedPush({ listener, owner, event }: Push, logger: Logger, tracing: Tracing): void {
  const tell = () => tellGuarded(logger, listener, event);
  if (event.change === "created" && event.item !== null) {
    tracing.runNow({ name: "push", tenant: owner.tenant, notificationId: event.item.id, facts: {} }, tell);
  } else {
    tell();
  }
}
