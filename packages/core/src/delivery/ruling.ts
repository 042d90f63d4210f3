import { type Decision, type DecisionFacts, type DecisionSubject, decideFor } from "../decisions/index.ts";
import { cut } from "../foundation/bounds.ts";
import type { Owner } from "../foundation/context.ts";
import { textOf } from "../foundation/errors.ts";
import { describe, shown } from "../foundation/parse-text.ts";
import { type ConditionSource, declaredType, isRequired, rulesOfType } from "../notifications/index.ts";
import { OutOfTime, type TimeLimit, withinTime } from "../work/timing.ts";
import type { Reached } from "./addresses.ts";
import type { DeliveryContext } from "./context.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { Ruling } from "./delivery-transitions.ts";
import type { StoredBundle } from "./digest-storage.ts";

const EXPIRED: Ruling = { outcome: "skip", reason: "expired", source: "notification" };

/** Decides whether a claimed delivery has expired: null if it has not. It costs nothing where nothing expires. */
export function expiryOf({ notification: { expiresAt } }: ClaimedDelivery, now: Date): Ruling | null {
  return expiresAt !== null && expiresAt <= now ? EXPIRED : null;
}

/** Decides whether a digest has expired: each notification that it shows has. Those that are being deleted are not shown. */
export function expiryOfBundle({ shown }: StoredBundle, now: Date): Ruling | null {
  return shown.every(({ notification: { expiresAt } }) => expiresAt !== null && expiresAt <= now) ? EXPIRED : null;
}

/** The parts that decisions on claimed deliveries use. */
export interface RulingContext extends Pick<DeliveryContext, "preferences" | "presence" | "types" | "clock"> {
  readonly inbox: Pick<DeliveryContext["inbox"], "get">;
}

/** A delivery to decide again about, as it was claimed or is to come in a digest. */
interface RuledOn extends Pick<ClaimedDelivery, "notification" | "scheduledAt" | "meta"> {
  readonly delivery: Pick<ClaimedDelivery["delivery"], "tenant" | "channel" | "recipient" | "dueAt" | "topic">;
}

/** What is known of a user, and how the type's condition is asked. */
interface RulingFacts {
  /** With undefined, quiet hours are not asked. */
  readonly timeZone: Reached["timeZone"] | undefined;
  /** @default "known" */
  readonly address?: "known" | "none";
  /** The time that the condition has; null where something else limits it. @default null */
  readonly limit?: TimeLimit | null;
}

/** Decides again about claimed deliveries to users, right before their attempts: what was decided before may have changed. */
export class Rulings {
  readonly #context: RulingContext;

  constructor(context: RulingContext) {
    this.#context = context;
  }

  /**
   * Returns what stands against the attempt, or null. Rejects with {@link ConditionFailed} if a condition of the type throws: the
   * attempt fails.
   */
  async on(claimed: RuledOn, { timeZone, address = "known", limit = null }: RulingFacts): Promise<Ruling | null> {
    const { delivery, notification, scheduledAt, meta } = claimed;
    const { channel, tenant, recipient, topic } = delivery;
    const declared = declaredType(this.#context, notification.type, { declaredTypesOnly: false });
    const preferences = (await this.#context.preferences.of(tenant, [recipient]))(recipient);
    const now = Math.max(this.#context.clock.now(), delivery.dueAt?.getTime() ?? 0);
    const subject: DecisionSubject = { notification, declared, channel, scheduledAt, topic, group: notification.group };
    const facts = {
      now,
      timeZone,
      address,
      meetsCondition: null,
      isWithinThrottle: true,
      ...(await this.#seen(claimed)),
    } as const;
    const before = decideFor(subject, { preferences, facts }, "claim");
    const { when } = rulesOfType(declared, channel);
    const isAsked = before.outcome !== "skip" && when !== undefined && !(declared !== undefined && isRequired(declared, channel));
    if (!isAsked) {
      return rulingOf(before, now);
    }
    const ask = () => askCondition(when, { user: { id: recipient, tenant }, data: meta }, notification.type);
    const meetsCondition = await (limit === null ? ask() : answerWithin(ask, limit));
    return rulingOf(decideFor(subject, { preferences, facts: { ...facts, meetsCondition } }, "claim"), now);
  }

  /** What the type's rules ask of the user. */
  async #seen({ delivery, notification }: RuledOn): Promise<Pick<DecisionFacts, "isRead" | "isOnline">> {
    const { inbox, presence } = this.#context;
    const { channel, tenant, recipient: userId } = delivery;
    const declared = declaredType(this.#context, notification.type, { declaredTypesOnly: false });
    const { unlessRead = false, unlessOnline = false } = rulesOfType(declared, channel);
    const owner = { tenant, userId };
    const [isRead, isOnline] = await Promise.all([
      unlessRead ? isDealtWith(inbox, owner, notification.id) : null,
      unlessOnline ? presence.isOnline(owner) : null,
    ]);
    return { isRead, isOnline };
  }
}

/** Whether a user has read an item, or put it away: archived or removed it. */
async function isDealtWith(inbox: RulingContext["inbox"], owner: Owner, id: string): Promise<boolean> {
  const item = await inbox.get(owner, id, { includeDeleted: true });
  return item !== null && (item.readAt !== null || (await inbox.get(owner, id, { places: ["active", "snoozed"] })) === null);
}

function rulingOf(decision: Decision, now: number): Ruling | null {
  if (decision.outcome === "skip") {
    return decision;
  }
  const { at, reason, source } = decision;
  return at <= now ? null : { outcome: "wait", dueAt: new Date(at), reason: reason === "quiet_hours" ? reason : null, source };
}

/** The host's own condition gave no answer that counts. */
export class ConditionFailed extends Error {}

async function answerWithin(ask: () => Promise<boolean>, limit: TimeLimit): Promise<boolean> {
  try {
    return await withinTime(ask, limit);
  } catch (cause) {
    throw cause instanceof OutOfTime
      ? new ConditionFailed(`The condition of the type gave no answer within ${limit.timeoutMs} ms.`, { cause })
      : cause;
  }
}

/** Asks the host's own condition. Rejects with {@link ConditionFailed}. */
export async function askCondition(
  when: (source: ConditionSource<never>) => boolean | Promise<boolean>,
  source: ConditionSource,
  type: string,
): Promise<boolean> {
  let answer: unknown;
  try {
    // The data has the form that the type's schema makes.
    answer = await when(source as ConditionSource<never>);
  } catch (cause) {
    throw new ConditionFailed(`The condition of the type ${shown(type)} threw: ${cut(textOf(cause))}`, { cause });
  }
  if (typeof answer !== "boolean") {
    throw new ConditionFailed(
      `The condition of the type ${shown(type)} answered a value of the type ${describe(answer)}; expected true or false.`,
    );
  }
  return answer;
}
