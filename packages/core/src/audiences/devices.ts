import { addressProblem, type Channel, type Device, deviceAddress, type PushDevice, shownDevice } from "../delivery/index.ts";
import type { BaseContext, Owner } from "../foundation/context.ts";
import type { Issue } from "../foundation/errors.ts";
import { isUuid } from "../foundation/ids.ts";
import { requireNone } from "../foundation/issue-list.ts";
import { NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import type { DevicesStorage } from "./devices-storage.ts";
import { type DeviceInput, parseDevice } from "./parse-device.ts";

/** What devices use of a channel. */
type ChannelMember = "name" | "takes" | "devices" | "invalidRecipient" | "isConfigured" | "webPushKey";

/** The parts that devices use. */
export interface DevicesContext extends BaseContext {
  readonly devices: DevicesStorage;
  /** The host's channels, by name; the inbox is not among them. */
  readonly channels: ReadonlyMap<string, Pick<Channel, ChannelMember>>;
  /** See `DecisionsContext.beginInboxes`. */
  beginInboxes(tenant: string, userIds: readonly string[]): Promise<void>;
}

/** How many devices a user has at the most. The one that was seen longest ago makes room. */
const MAX_DEVICES = 20;

/**
 * The endpoints of users for push: `notifications.devices`. A client registers its device at each start, with the token that its platform
 * gave it; whoever signs out removes it.
 *
 * @example
 * ```ts
 * const { id } = await notifications.devices.register("ann", { platform: "fcm", token, name: "Ann's phone" });
 * await notifications.devices.remove("ann", id);
 * ```
 */
export class Devices {
  readonly #tenant: string;
  readonly #context: DevicesContext;

  /** Hosts do not call this. They use `notifications.devices` or `notifications.tenant(id).devices`. */
  constructor(tenant: string, context: DevicesContext) {
    this.#tenant = tenant;
    this.#context = context;
  }

  /**
   * Registers a device of a user, or notes that it was seen again; it may be repeated. A user has up to 20 devices: beyond, the one that was
   * seen longest ago goes. A token belongs to one user of the tenant: one that somebody else had leaves them, since whoever
   * holds the device signed in anew.
   *
   * @throws BelfryError `VALIDATION_ERROR` for a token or a subscription that its platform cannot have given
   */
  async register(userId: string, device: DeviceInput): Promise<Device> {
    const owner = this.#owner(userId);
    const { replaces, ...parsed } = parseDevice(device);
    requireNone([this.#unreachable(parsed)]);
    using _call = await this.#context.ready();
    const { devices, clock, ids, beginInboxes } = this.#context;
    await beginInboxes(this.#tenant, [userId]);
    const at = new Date(clock.now());
    return shownDevice(await devices.register(owner, { id: ids.next(), ...parsed }, { at, replaces, most: MAX_DEVICES }));
  }

  /** The devices of a user, oldest first. @throws BelfryError `VALIDATION_ERROR` */
  async list(userId: string): Promise<readonly Device[]> {
    const owner = this.#owner(userId);
    using _call = await this.#context.ready();
    return (await this.#context.devices.of(owner.tenant, [userId])).map(shownDevice);
  }

  /** Removes a device of a user; it may be repeated. Returns whether there was one. @throws BelfryError `VALIDATION_ERROR` */
  async remove(userId: string, id: string): Promise<boolean> {
    const owner = this.#owner(userId);
    requireNone([textIssue(id, ["id"], NAME_RULE)]);
    using _call = await this.#context.ready();
    return isUuid(id) && (await this.#context.devices.remove(owner, id.toLowerCase()));
  }

  /**
   * The public key that browsers subscribe with, in base64url: that of the first channel that has one for this tenant. Null where no channel
   * pushes to browsers.
   */
  async webPushKey(): Promise<string | null> {
    using _call = await this.#context.ready();
    for (const channel of this.#context.channels.values()) {
      const isUsed = channel.devices?.includes("web") === true && channel.isConfigured?.(this.#tenant) !== false;
      const key = isUsed ? await channel.webPushKey?.(this.#tenant) : null;
      if (typeof key === "string") {
        return key;
      }
    }
    return null;
  }

  /** What the channels say of a device that they would deliver to: a browser's endpoint may be a URL that nothing may be sent to. */
  #unreachable(device: PushDevice): Issue | null {
    const taking = [...this.#context.channels.values()].filter(({ devices }) => devices?.includes(device.platform) === true);
    const problems = taking.flatMap((channel) => {
      const problem = channel.invalidRecipient(deviceAddress(device));
      return problem === null ? [] : [addressProblem(problem, channel)];
    });
    const path = [device.platform === "web" ? "subscription" : "token"];
    return problems[0] === undefined ? null : { path, type: "value_error", message: problems[0] };
  }

  #owner(userId: string): Owner {
    requireNone([textIssue(userId, ["user_id"], NAME_RULE)]);
    return { tenant: this.#tenant, userId };
  }
}
