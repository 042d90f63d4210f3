import { guarded, type Owner } from "../foundation/context.ts";
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
export function push(told: Push, { logger, tracing }: { readonly logger: Logger; readonly tracing: Tracing | null }): void {
  if (tracing === null) {
    call(told, logger);
  } else {
    callTraced(told, logger, tracing);
  }
}

function call({ listener, event }: Push, logger: Logger): void {
  guarded(logger, () => listener.onEvent(event));
}

/** It stands alone: the function that it makes would be made for each of very many listeners without traces, too. */
function callTraced(told: Push, logger: Logger, tracing: Tracing): void {
  const { owner, event } = told;
  if (event.change === "created" && event.item !== null) {
    tracing.runNow({ name: "push", tenant: owner.tenant, notificationId: event.item.id, facts: {} }, () => call(told, logger));
  } else {
    call(told, logger);
  }
}
