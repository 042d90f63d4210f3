import { MAX_AT_ONCE } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import { type ChainChange, settleChains } from "./chains.ts";
import { type DeliveryContext, settle } from "./context.ts";
import type { LoadedDelivery, SendState } from "./delivery-storage.ts";

/** How many chains of a large send one transaction changes. */
const PAGE = 500;

interface SendName {
  readonly tenant: string;
  readonly id: string;
}

/** Whether a send has so many recipients that they are not listed, but for its deliveries. */
export async function isLargeSend({ deliveries }: Pick<DeliveryContext, "deliveries">, { tenant, id }: SendName): Promise<boolean> {
  const send = await deliveries.findSend(tenant, id);
  if (send === null || send.recipients.length > 0) {
    return false;
  }
  if (await deliveries.isFannedOut(tenant, id)) {
    return true;
  }
  const count = await deliveries.countDeliveries(tenant, id);
  // One that was cancelled before it began has none.
  return count > MAX_AT_ONCE || count === 0;
}

/** Changes the chains of a large send page by page, so that nobody waits for all of them. */
export class ChainPages {
  readonly #context: DeliveryContext;
  readonly #of: SendName & { readonly actor: string };

  constructor(context: DeliveryContext, of: SendName & { readonly actor: string }) {
    this.#context = context;
    this.#of = of;
  }

  /** Stops writing further deliveries. Returns false if all were written. */
  async endFanOut(): Promise<boolean> {
    const { deliveries, clock, events } = this.#context;
    const { tenant, id, actor } = this.#of;
    const ended = await deliveries.endFanOut({ tenant, id }, { as: "cancelled", actor }, new Date(clock.now()));
    if (ended !== null && ended.changed !== null) {
      events.emit("send.changed", ended.changed);
    }
    return ended !== null;
  }

  /**
   * Changes each chain as `decide` says; null leaves it. The first change writes a line of the audit log. Returns whether any changed.
   *
   * @param afterPage runs after each page is written @default nothing
   */
  async change(
    action: "cancelled" | "retried",
    decide: (chain: readonly LoadedDelivery[], send: SendState, now: Date) => ChainChange | null,
    afterPage: () => Promise<void> = async () => {},
  ): Promise<boolean> {
    const { tenant, id, actor } = this.#of;
    let hasChanged = false;
    for (let after: number | null = -1; after !== null; await nextTurn()) {
      let last: number | null = null;
      const some = { after, limit: PAGE };
      const settlement = await settle(this.#context, { kind: "send", tenant, id, some }, (loaded, now) => {
        last = loaded[0]?.chains.at(-1)?.[0]?.chain ?? null;
        const page = settleChains(loaded, now, (chain, send) => decide(chain, send, now));
        const audit = !hasChanged && page.changes.deliveries.length > 0 ? [{ action, actor, notificationId: id }] : [];
        return { ...page, changes: { ...page.changes, audit } };
      });
      hasChanged ||= (settlement?.changes.deliveries.length ?? 0) > 0;
      await afterPage();
      after = last;
    }
    return hasChanged;
  }
}
