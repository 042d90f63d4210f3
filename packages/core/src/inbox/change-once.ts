import { canonical } from "../foundation/canonical.ts";
import type { Owner } from "../foundation/context.ts";
import { digest } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { InboxContext } from "./context.ts";
import { type ChangeKey, type KeyedChange, type ReadMoment, reusedKey } from "./logged-change.ts";

/** Makes a change of an inbox, and returns how many items it found. @param said what the caller asks for: a repetition says the same */
export type Once = (said: readonly unknown[], change: (key: ChangeKey | undefined) => Promise<number>) => Promise<number>;

/** Makes a change as often as it is asked for. */
export const ALWAYS: Once = (_, change) => change(undefined);

/**
 * Makes a change once for a key, as long as the inbox's log has it: a repetition changes nothing, and returns what the first call did.
 * The key is written with the change, so a call that failed in between was either made or not. If it takes steps that go by the moment
 * at which it began, and was made in part, a repetition does the rest of it by that moment.
 */
export function onceFor(context: InboxContext, owner: Owner, key: string): Once {
  return async (said, change) => {
    const asked = JSON.stringify(canonical(said));
    using _call = await context.ready();
    const bodyHash = await digest(asked);
    const find = async () => {
      const made = await context.inbox.changeWithKey(owner, key);
      if (made !== null && made.bodyHash !== bodyHash) {
        throw reusedKey(key);
      }
      return made;
    };
    return await changeOr((begun) => change({ key, bodyHash, begun }), find);
  };
}

/** Makes a change, or the rest of it, unless another call with its key did, or is faster: then it answers as that one did. */
async function changeOr(change: (begun?: ReadMoment) => Promise<number>, find: () => Promise<KeyedChange | null>): Promise<number> {
  const made = await find();
  if (made !== null && made.begun === undefined) {
    return made.count;
  }
  try {
    return await change(made?.begun);
  } catch (error) {
    const isFaster = error instanceof BelfryError && error.code === "IDEMPOTENCY_KEY_REUSED";
    const other = isFaster ? await find() : null;
    if (other === null || (other.begun !== undefined && made !== null)) {
      throw error;
    }
    return other.begun === undefined ? other.count : await changeOr(change, find);
  }
}
