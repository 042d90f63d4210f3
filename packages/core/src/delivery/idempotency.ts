import { canonical } from "../foundation/canonical.ts";
import { compareBytewise } from "../foundation/compare-bytewise.ts";
import { digest } from "../foundation/digest.ts";
import type { UntypedCreateInput } from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import { type Audience, isLarge } from "./audience.ts";

/** What a sender asked of a contract beside the input. */
export interface AskedByContract {
  /** Whether the sender asked for a fallback where the contract has none to plan. It is kept, for the answers. @default false */
  readonly asksFallback?: boolean;
  /** Whether it may name users where a channel wants addresses. @default only addresses */
  readonly namesUsers?: boolean;
  /** What the sender said, by which a repetition is known. @default the input */
  readonly said?: object;
}

/** What a call says, in one form whatever the order and the repetitions of those who get it. */
export async function saidBy(
  { to: _, except: __, topic: ___, ...input }: UntypedCreateInput,
  audience: Audience,
  { said }: AskedByContract,
): Promise<object> {
  if (audience.everyone !== undefined) {
    const { isStanding, except } = audience.everyone;
    return said ?? { ...input, everyone: true, standing: isStanding, except: [...except].sort(compareBytewise) };
  }
  const named = audience.addresses.map(({ channel, address }) => JSON.stringify([channel, address])).sort(compareBytewise);
  if (audience.topics !== undefined) {
    const { topics, source } = audience.topics;
    return said ?? { ...input, topics, users: source.users, except: [...source.except].sort(compareBytewise), addresses: named };
  }
  if (!isLarge(audience)) {
    return said ?? { ...input, users: [...audience.users].sort(compareBytewise), addresses: named };
  }
  return said ?? { ...input, users: await digestOf([...audience.users].sort(compareBytewise)), addresses: await digestOf(named) };
}

/** How many texts are digested in one turn of the event loop. */
const DIGESTED = 5_000;

/** A digest of a long list, made in pieces. */
async function digestOf(texts: readonly string[]): Promise<string> {
  let known = "";
  for (let start = 0; start < texts.length; start += DIGESTED) {
    known = await digest(known + JSON.stringify(texts.slice(start, start + DIGESTED)));
    await nextTurn();
  }
  return known;
}

/** The key, and what tells a repetition from another call: not the actor. */
export async function idempotencyOf({ idempotencyKey = "" }: UntypedCreateInput, said: object) {
  const { idempotencyKey: _, actor: __, ...body } = said as UntypedCreateInput;
  return { key: idempotencyKey, bodyHash: await digest(JSON.stringify(canonical(body))), response: "" };
}
