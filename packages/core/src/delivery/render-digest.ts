import { followPrimary, type Settlement, settleChains } from "./chains.ts";
import type { DeliveryAttempt } from "./delivery.ts";
import type { LoadedDelivery, LoadedSend } from "./delivery-storage.ts";
import { bundled, type Ruling, settled } from "./delivery-transitions.ts";
import type { Digest } from "./digest.ts";
import type { DigestChange } from "./digest-storage.ts";

/** A rendered digest is looked after this often: its delivery may have been deleted. */
const CHECK_MS = 600_000;
/**
 * How long a digest waits after that before another delivery carries it. Whoever was delivering it when its delivery was deleted
 * has said by then how that ended.
 */
const HAND_ON_MS = 120_000;

/** Why an entry is left out: it was decided against it, or nobody could decide. */
export type Verdict = Ruling | { readonly outcome: "fail"; readonly error: string };

/** What is to become of a claimed digest. */
export type DigestEnd =
  /** It is looked at again later. */
  | { readonly kind: "later"; readonly dueAt: Date }
  /** Its window closes later than it was to: it is open again. */
  | { readonly kind: "moved"; readonly dueAt: Date }
  /** It was rendered before, and its delivery is to be looked after. */
  | { readonly kind: "checked" }
  | {
      readonly kind: "rendered";
      /** For each entry's delivery, in their order: why it is left out, or null. */
      readonly verdicts: ReadonlyMap<string, Verdict | null>;
      /** When it goes out; null for now. */
      readonly dueAt: Date | null;
      readonly maxItems: number;
    };

/** Decides on the chains of a claimed digest's entries. */
export function endedDigest(
  loaded: readonly LoadedSend[],
  now: Date,
  { digest, end }: { readonly digest: Digest; readonly end: DigestEnd },
): Settlement {
  switch (end.kind) {
    case "later":
    case "moved":
      return withDigest(
        settleChains([], now, () => null),
        { ...digest, state: end.kind === "moved" ? "open" : digest.state, dueAt: end.dueAt, closesAt: end.dueAt, places: null },
      );
    case "checked":
      return checked(loaded, now, digest);
    case "rendered":
      return rendered(loaded, now, { digest, end });
  }
}

/** Stores the list of a digest: what is wanted no more is skipped, one of the others carries the rest. */
function rendered(
  loaded: readonly LoadedSend[],
  now: Date,
  { digest, end }: { readonly digest: Digest; readonly end: Extract<DigestEnd, { readonly kind: "rendered" }> },
): Settlement {
  const { verdicts, dueAt, maxItems } = end;
  const waiting = new Map(
    loaded.flatMap(({ chains }) =>
      chains.flatMap(([primary, ...fallbacks]) =>
        primary !== undefined && isWaiting(primary)
          ? [[primary.id, verdictOf(verdicts.get(primary.id), fallbacks.length > 0)] as const]
          : [],
      ),
    ),
  );
  const kept = [...verdicts.keys()].filter((id) => waiting.get(id) === null);
  // The newest are shown.
  const shown = kept.slice(-maxItems);
  const places = [...shown, ...kept.slice(0, -maxItems)];
  const settlement = settleChains(loaded, now, ([primary, ...fallbacks], send) => {
    const ruling = waiting.get(primary?.id ?? "");
    if (primary === undefined || ruling === undefined) {
      return null;
    }
    if (ruling === null) {
      return { chain: [bundled(primary, primary.id === places[0] ? (dueAt ?? now) : null), ...fallbacks] };
    }
    if (ruling.outcome === "fail") {
      const attempt = undecided(primary, ruling.error, now);
      const failed = { ...settled(primary, { status: "failed", now }), attempt: attempt.attempt };
      return { chain: followPrimary([failed, ...fallbacks], send, now), attempts: [attempt], shownAttempts: attempt.attempt };
    }
    const { reason, source: reasonSource } = ruling;
    return { chain: followPrimary([settled(primary, { status: "skipped", reason, reasonSource, now }), ...fallbacks], send, now) };
  });
  const sizes = { shown: shown.length, total: kept.length, places };
  const change =
    kept.length === 0
      ? closed({ ...digest, renderedAt: now }, now)
      : ({ ...digest, ...sizes, state: "rendered", renderedAt: now, dueAt: new Date(now.getTime() + CHECK_MS) } as const);
  return withDigest(settlement, change);
}

/** Without an address, the fallback of one of the entries carries the digest, so that they stay together. */
function verdictOf(verdict: Verdict | null | undefined, hasFallback: boolean): Verdict | null | undefined {
  return verdict?.outcome === "skip" && verdict.reason === "no_address" && hasFallback ? null : verdict;
}

/** The attempt of an entry that nobody could decide on. */
function undecided({ id, channel, attempt }: LoadedDelivery, error: string, now: Date): DeliveryAttempt {
  const nothing = { response: null, messageId: null, note: null, exchange: null };
  const ended = { status: "failed", startedAt: now, finishedAt: now, provider: channel, error, isTransient: true } as const;
  return { deliveryId: id, attempt: attempt + 1, ...nothing, ...ended };
}

/** Gives a rendered digest another delivery if the one that carried it is gone, and closes it if no other is left. */
function checked(loaded: readonly LoadedSend[], now: Date, digest: Digest): Settlement {
  const chains = loaded.flatMap((send) => send.chains);
  const waits = (one: LoadedDelivery) => one.reason === "bundled" && one.status === "pending";
  const isCarried = chains.flat().some((one) => waits(one) && (one.dueAt !== null || one.leaseOwner !== null));
  const next = isCarried ? undefined : chains.find(([primary]) => primary !== undefined && waits(primary))?.[0];
  const settlement = settleChains(loaded, now, ([primary, ...fallbacks]) =>
    primary !== undefined && primary === next ? { chain: [bundled(primary, new Date(now.getTime() + HAND_ON_MS)), ...fallbacks] } : null,
  );
  const isOver = !isCarried && next === undefined;
  const later = { ...digest, state: "rendered", dueAt: new Date(now.getTime() + CHECK_MS), places: null } as const;
  return withDigest(settlement, isOver ? closed(digest, now) : later);
}

/** A digest that has settled. */
export function closed(digest: Digest, now: Date): DigestChange {
  return { ...digest, state: "closed", closedAt: now, dueAt: null, places: null };
}

function isWaiting({ status, leaseOwner, reason }: LoadedDelivery): boolean {
  return status === "pending" && leaseOwner === null && reason === "digest";
}

function withDigest(
  settlement: Settlement,
  { id, state, closesAt, renderedAt, closedAt, shown, total, dueAt, places }: DigestChange,
): Settlement {
  const change = { id, state, closesAt, renderedAt, closedAt, shown, total, dueAt, places };
  return { ...settlement, changes: { ...settlement.changes, digests: [change] } };
}
