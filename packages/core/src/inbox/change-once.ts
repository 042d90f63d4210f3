import { canonical } from "../foundation/canonical.ts";
import type { Owner } from "../foundation/context.ts";
import { digest } from "../foundation/digest.ts";
import { BelfryError } from "../foundation/errors.ts";
import type { InboxContext } from "./context.ts";
import { type ChangeKey, reusedKey } from "./logged-change.ts";

/** Makes a change of an inbox, and returns how many items it found. @param said what the caller asks for: a repetition says the same */
export type Once = (said: readonly unknown[], change: (key: ChangeKey | undefined) => Promise<number>) => Promise<number>;

/** Makes a change as often as it is asked for. */
export const ALWAYS: Once = (_, change) => change(undefined);

/**
 * Makes a change once for a key, as long as the inbox's log has it: a repetition changes nothing, and returns what the first call did.
 * The key is written with the change, so a call that failed in between was either made or not.
 */
export function onceFor(context: InboxContext, owner: Owner, key: string): Once {
  return async (said, change) => {
    using _call = await context.ready();
    const bodyHash = await digest(JSON.stringify(canonical(said)));
    const answerOf = async () => {
      const made = await context.inbox.changeWithKey(owner, key);
      if (made !== null && made.bodyHash !== bodyHash) {
        throw reusedKey(key);
      }
      return made?.count;
    };
    return (await answerOf()) ?? (await changeOr(() => change({ key, bodyHash }), answerOf));
  };
}

/** Makes a change, unless another call with its key is faster: then it answers as that one did. */
async function changeOr(change: () => Promise<number>, answerOf: () => Promise<number | undefined>): Promise<number> {
  try {
    return await change();
  } catch (error) {
    const count = error instanceof BelfryError && error.code === "IDEMPOTENCY_KEY_REUSED" ? await answerOf() : undefined;
    if (count === undefined) {
      throw error;
    }
    return count;
  }
}
