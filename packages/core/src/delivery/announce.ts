import type { DeliveryContext } from "./context.ts";
import type { DeliveryTransition, SendTransition } from "./settle-chains.ts";

/** Tells the host's listeners about committed changes. */
export function announce(
  { events }: Pick<DeliveryContext, "events">,
  { deliveries, sends }: { readonly deliveries: readonly DeliveryTransition[]; readonly sends: readonly SendTransition[] },
): void {
  for (const { delivery, from } of deliveries) {
    events.emit(`delivery.${delivery.status}`, { delivery, from });
  }
  for (const transition of sends) {
    events.emit("send.changed", transition);
  }
}
