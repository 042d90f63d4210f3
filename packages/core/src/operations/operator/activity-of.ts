import type { ActivityStorage } from "../../activity-storage.ts";
import { BelfryError } from "../../errors.ts";
import type { Context } from "../context.ts";

/** The operator's part of the storage; throws `CONFIGURATION` for a storage without one. */
export function activityOf({ storage }: Context): ActivityStorage {
  if (storage.activity === undefined) {
    throw new BelfryError(
      "CONFIGURATION",
      `The storage ${storage.name} answers no operator. Use a version of it that has the part activity.`,
    );
  }
  return storage.activity;
}
