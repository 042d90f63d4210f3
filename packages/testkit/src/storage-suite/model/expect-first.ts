import { expect } from "vitest";
import type { ModelDelivery } from "./delivery-model.ts";

/** PostgreSQL looks at this many candidates for each delivery it may take; only with more due than that may it take too few. */
const CANDIDATES_EACH = 10;

/**
 * Checks that `taken` are the first of `all` by time, up to `limit`; which of those of one time they are is the
 * storage's affair.
 */
export function expectFirst(taken: readonly string[], all: readonly { readonly id: string; readonly atMs: number }[], limit: number): void {
  const allowed = new Set(all.map(({ id }) => id));
  expect(taken.filter((id) => !allowed.has(id))).toEqual([]);
  const passedOver = all.filter(
    ({ id, atMs }) => !taken.includes(id) && all.filter((one) => one.id !== id && one.atMs <= atMs).length < limit,
  );
  expect(passedOver).toEqual([]);
}

/** Checks that a claim took what is due, oldest first, no more of an endpoint than allowed, and left nothing out that it could take. */
export function expectClaim(
  taken: readonly (ModelDelivery | undefined)[],
  due: readonly ModelDelivery[],
  { limit, perEndpoint }: { readonly limit: number; readonly perEndpoint: number },
): void {
  const claimed = taken.filter((delivery) => delivery !== undefined);
  expect(claimed).toHaveLength(taken.length);
  expect(claimed.length).toBeLessThanOrEqual(limit);
  expect(claimed.filter((delivery) => !due.includes(delivery)).map(({ id, status }) => ({ id, status }))).toEqual([]);
  expect(new Set(claimed).size).toBe(claimed.length);
  const times = claimed.map(timeOf);
  expect(times).toEqual(times.toSorted((left, right) => left - right));
  const endpointOf = ({ channel, recipient }: ModelDelivery) => JSON.stringify([channel, recipient]);
  const byEndpoint = Map.groupBy(claimed, endpointOf);
  expect([...byEndpoint.values()].filter((ofOne) => ofOne.length > perEndpoint)).toEqual([]);
  if (due.length > limit * CANDIDATES_EACH) {
    return;
  }
  const passedOver = due.filter((delivery) => {
    const ofEndpoint = (byEndpoint.get(endpointOf(delivery)) ?? []).filter((one) => timeOf(one) <= timeOf(delivery));
    const before = claimed.filter((one) => timeOf(one) <= timeOf(delivery));
    return !claimed.includes(delivery) && ofEndpoint.length < perEndpoint && before.length < limit;
  });
  expect(passedOver.map(({ id, dueAt }) => ({ id, dueAt }))).toEqual([]);
}

function timeOf({ dueAt }: ModelDelivery): number {
  return dueAt?.getTime() ?? 0;
}
