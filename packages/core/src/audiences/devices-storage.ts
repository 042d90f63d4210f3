import type { Device, DeviceSource, StoredDevice } from "../delivery/index.ts";
import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange } from "../foundation/json.ts";

/** A device to be registered. */
export type NewDevice = Omit<StoredDevice, "userId" | "createdAt" | "seenAt">;

/** How a device is registered. */
export interface Registering {
  readonly at: Date;
  /** The id of a device of the same user, which has a new token now; null for none. */
  readonly replaces: string | null;
  /** How many devices a user may have. */
  readonly most: number;
}

/** The part of a storage that keeps users' devices. Every method is one transaction, and its queries are scoped by tenant. */
export interface DevicesStorage extends DeviceSource {
  /**
   * Registers a device of a user. One with the same platform and token is changed instead: that of the same user keeps its id and the
   * time of its creation; that of another user of the tenant leaves them, and has the new id. The device that it replaces has the new
   * token from then on, and its own id. The devices of the user that were seen longest ago, beyond `most`, go.
   */
  register(owner: Owner, device: NewDevice, registering: Registering): Promise<StoredDevice>;

  /** Removes a device of a user. Returns whether there was one. */
  remove(owner: Owner, id: string): Promise<boolean>;

  /** Removes devices of a user, up to `limit`. */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** Reads devices of a user, without their tokens. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<Device>>;
}
