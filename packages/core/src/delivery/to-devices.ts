import type { Channel, DeliveryOutcome, DeliveryTask } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { Delivery } from "./delivery.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling } from "./delivery-transitions.ts";
import { deviceAddress, type StoredDevice } from "./device.ts";

/** The parts that deliveries to devices use. */
export type ToDevicesContext = Pick<DeliveryContext, "devices" | "deliveries" | "ids" | "clock" | "inbox" | "deliverDue">;

/**
 * Delivers to the devices of users. At the first attempt that is made, the delivery to a user becomes one for each device, in the same chain: each
 * is attempted, retried and settled by itself. A device that is gone is removed.
 */
export class ToDevices {
  readonly #context: ToDevicesContext;

  constructor(context: ToDevicesContext) {
    this.#context = context;
  }

  /** Finds the device of a claimed delivery among those that its user has now, or all of them for a digest; a ruling if it is none of these any more. */
  async of(
    { delivery, isOnly }: ClaimedDelivery,
    devices: readonly StoredDevice[],
    isDigest: boolean,
  ): Promise<readonly StoredDevice[] | Ruling> {
    // A digest is one delivery, whose entries settle with it. One that is alone was never split.
    if (isDigest || (isOnly && devices.length === 1)) {
      return devices;
    }
    const { deliveries, ids, clock, deliverDue } = this.#context;
    const turns = devices.map(({ id: deviceId }) => ({ deviceId, deliveryId: ids.next() }));
    const own = await deliveries.splitByDevice(delivery, turns, new Date(clock.now()));
    // The others need not wait for this attempt.
    deliverDue();
    const device = devices.find(({ id }) => id === own);
    return device === undefined ? { outcome: "skip", reason: "no_address", source: "devices" } : [device];
  }

  /** How many items the user of a delivery has not read, for the number on the icon of the app. */
  async unreadOf({ tenant, recipient: userId }: Pick<Delivery, "tenant" | "recipient">): Promise<number> {
    return (await this.#context.inbox.counts({ tenant, userId })).unread;
  }

  /** Delivers once to each device. Of several, one that has it is enough. */
  async deliver(
    channel: Channel,
    { task, devices }: { readonly task: DeliveryTask; readonly devices: readonly StoredDevice[] },
    ends: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const [first, ...others] = devices;
    if (first !== undefined && others.length === 0) {
      return this.#deliverTo(channel, { task, device: first }, ends);
    }
    const results = await Promise.allSettled(devices.map((device) => this.#deliverTo(channel, { task, device }, ends)));
    const outcomes = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    const best =
      outcomes.find(({ status }) => status !== "failed") ?? outcomes.find((outcome) => outcome.status === "failed" && outcome.transient);
    const thrown = results.find((result) => result.status === "rejected");
    const [outcome] = best !== undefined ? [best] : thrown === undefined ? outcomes : [];
    if (outcome === undefined) {
      throw thrown?.reason;
    }
    return outcome;
  }

  async #deliverTo(
    channel: Channel,
    { task, device }: { readonly task: DeliveryTask; readonly device: StoredDevice },
    ends: AbortSignal,
  ): Promise<DeliveryOutcome> {
    const outcome = await channel.deliver({ ...task, address: deviceAddress(device) }, ends);
    if (outcome?.status === "failed" && outcome.isEndpointGone === true) {
      await this.#context.devices.removeGone(task.tenant, device);
    }
    return outcome;
  }
}
