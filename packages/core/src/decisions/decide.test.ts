import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChannelRules, DECISION_RULES, type DecisionState, decide, decision, explainDecision } from "./decide.ts";

const NOW = Date.UTC(2026, 10, 29);
const MINUTE_MS = 60_000;

const RULES: ChannelRules = {
  isRequired: false,
  isUrgent: false,
  afterMs: 0,
  unlessRead: false,
  unlessOnline: false,
  hasDigest: false,
  digestUnlessUrgent: false,
  hasThrottle: false,
};

const STATE: DecisionState = {
  now: NOW,
  createdAt: NOW,
  scheduledAt: null,
  expiresAt: null,
  address: "known",
  isMuted: false,
  choice: { value: "on", source: { of: "default" }, isChangeable: true },
  isRead: null,
  isOnline: null,
  meetsCondition: null,
  isWithinThrottle: true,
  pauseUntil: null,
  quietUntil: () => null,
};

const OFF: DecisionState["choice"] = {
  value: "off",
  source: { of: "user", scope: "type", name: "comment", channel: "email" },
  isChangeable: true,
};

function decided(rules: Partial<ChannelRules>, state: Partial<DecisionState>, when: "creation" | "claim" = "creation") {
  return decide({ ...RULES, ...rules }, { ...STATE, ...state }, when);
}

describe("a decision", () => {
  test("is to deliver now where nothing is against it", () => {
    expect(decided({}, {})).toEqual({ outcome: "deliver", at: NOW, reason: "due", source: "notification" });
  });

  test("waits for the later of its schedule and the type's own wait", () => {
    expect(decided({ afterMs: MINUTE_MS }, {})).toMatchObject({ at: NOW + MINUTE_MS });
    expect(decided({ afterMs: MINUTE_MS }, { scheduledAt: NOW + 2 * MINUTE_MS })).toMatchObject({ at: NOW + 2 * MINUTE_MS });
    expect(decided({}, { scheduledAt: NOW - MINUTE_MS })).toMatchObject({ at: NOW });
  });

  test("skips what expires before its time, whatever else holds", () => {
    expect(decided({ isRequired: true }, { expiresAt: NOW })).toEqual({ outcome: "skip", reason: "expired", source: "notification" });
    expect(decided({ afterMs: MINUTE_MS }, { expiresAt: NOW + MINUTE_MS, address: "none" })).toMatchObject({ reason: "expired" });
    expect(decided({}, { expiresAt: NOW + 1 })).toMatchObject({ outcome: "deliver" });
  });

  test("skips who cannot be reached, and goes on while the address is not known yet", () => {
    expect(decided({ isRequired: true }, { address: "none" })).toMatchObject({ reason: "no_address" });
    expect(decided({}, { address: "suppressed", choice: OFF })).toMatchObject({ reason: "suppressed" });
    expect(decided({}, { address: null })).toMatchObject({ outcome: "deliver" });
  });

  test("obeys choices and mutes, and says whose they are", () => {
    expect(decided({}, { choice: OFF })).toEqual({ outcome: "skip", reason: "preference", source: "user type email" });
    expect(decided({}, { isMuted: true })).toEqual({ outcome: "skip", reason: "preference", source: "user mute" });
  });

  test("of a required channel asks no choice, but quiet hours", () => {
    const state = { choice: OFF, isMuted: true, isRead: true, quietUntil: () => NOW + MINUTE_MS };
    const rules = { isRequired: true, unlessRead: true, hasDigest: true, hasThrottle: true };
    expect(decided(rules, state)).toMatchObject({ outcome: "deliver", at: NOW + MINUTE_MS, reason: "quiet_hours" });
    expect(decided({ ...rules, isUrgent: true }, state)).toMatchObject({ outcome: "deliver", at: NOW });
  });

  test("asks who has read it or is online only at the time of the delivery", () => {
    const rules = { unlessRead: true, unlessOnline: true };
    expect(decided(rules, { isRead: true })).toMatchObject({ reason: "read" });
    expect(decided(rules, { isOnline: true })).toMatchObject({ reason: "online" });
    expect(decided({}, { meetsCondition: false })).toMatchObject({ reason: "condition" });
    expect(decided({}, { isRead: true, isOnline: true })).toMatchObject({ outcome: "deliver" });
    expect(decided({ ...rules, afterMs: 1 }, { isRead: true, isOnline: true, meetsCondition: false })).toMatchObject({
      outcome: "deliver",
    });
  });

  test("is the digest of a chosen frequency, else that of the type, unless the user wants it at once or it has a throttle", () => {
    const daily = { ...OFF, value: "daily" as const };
    const immediate = { ...OFF, value: "immediate" as const };
    expect(decided({ hasDigest: true }, { choice: daily })).toMatchObject({
      outcome: "digest",
      digest: { by: "choice", frequency: "daily", scope: "type", name: "comment" },
    });
    expect(decided({ hasDigest: true }, {})).toMatchObject({ outcome: "digest", digest: { by: "type" }, reason: "digest" });
    expect(decided({ hasDigest: true }, { choice: immediate })).toMatchObject({ outcome: "deliver" });
    expect(decided({ hasDigest: true, hasThrottle: true }, {})).toMatchObject({ outcome: "deliver" });
    const unlessUrgent = { hasDigest: true, digestUnlessUrgent: true };
    expect(decided(unlessUrgent, {})).toMatchObject({ outcome: "digest", source: "type" });
    expect(decided({ ...unlessUrgent, isUrgent: true }, {})).toMatchObject({ outcome: "deliver", at: NOW });
    expect(decided({ ...unlessUrgent, isUrgent: true }, { choice: daily })).toMatchObject({ outcome: "digest", digest: { by: "choice" } });
    const beyond = { ...unlessUrgent, isUrgent: true, hasThrottle: true };
    expect(decided(beyond, { isWithinThrottle: false })).toMatchObject({ outcome: "digest", reason: "throttled" });
  });

  test("is the type's digest once a throttle is used up, and a skip without a digest", () => {
    const state = { isWithinThrottle: false };
    expect(decided({ hasThrottle: true, hasDigest: true }, state)).toMatchObject({ outcome: "digest", reason: "throttled" });
    expect(decided({ hasThrottle: true }, state)).toMatchObject({ outcome: "skip", reason: "throttled" });
    expect(decided({}, state)).toMatchObject({ outcome: "deliver" });
  });

  test("at the claim asks again what may have changed, but neither digest nor throttle", () => {
    expect(decided({ hasDigest: true, hasThrottle: true }, { isWithinThrottle: false }, "claim")).toMatchObject({ outcome: "deliver" });
    expect(decided({ unlessRead: true }, { isRead: true }, "claim")).toMatchObject({ reason: "read" });
    expect(decided({}, { choice: OFF }, "claim")).toMatchObject({ reason: "preference" });
    expect(decided({}, { quietUntil: () => NOW + 1 }, "claim")).toMatchObject({ at: NOW + 1, reason: "quiet_hours" });
    const sourceOf = (pauseUntil: number) => decided({}, { pauseUntil, quietUntil: () => NOW + 9 }).source;
    expect([sourceOf(NOW + 9), sourceOf(NOW + 1), sourceOf(NOW)]).toEqual(["user pause", "user pause", "user"]);
  });
});

const flag = fc.boolean();
const time = fc.option(
  fc.integer({ min: -100, max: 100 }).map((minutes) => NOW + minutes * MINUTE_MS),
  { nil: null },
);
const anyRules = fc.record({
  isRequired: flag,
  isUrgent: flag,
  afterMs: fc.integer({ min: 0, max: 100 * MINUTE_MS }),
  unlessRead: flag,
  unlessOnline: flag,
  hasDigest: flag,
  digestUnlessUrgent: flag,
  hasThrottle: flag,
});
const anyState = fc.record({
  now: fc.constant(NOW),
  createdAt: fc.constant(NOW),
  scheduledAt: time,
  expiresAt: time,
  address: fc.constantFrom("known", "none", "suppressed", null),
  isMuted: flag,
  choice: fc.constantFrom("on", "off", "immediate", "hourly", "daily", "weekly").map((value) => ({ ...OFF, value })),
  isRead: fc.option(flag, { nil: null }),
  isOnline: fc.option(flag, { nil: null }),
  meetsCondition: fc.option(flag, { nil: null }),
  isWithinThrottle: flag,
  pauseUntil: time,
  quietUntil: fc.option(fc.nat(1_000), { nil: null }).map((ms) => (at: number) => (ms === null ? null : at + ms + 1)),
}) as fc.Arbitrary<DecisionState>;

describe("every decision", () => {
  test("is the result of the last rule asked, and of those before none made one", () => {
    fc.assert(
      fc.property(anyRules, anyState, fc.constantFrom("creation", "claim"), (rules, state, when) => {
        const results = explainDecision(rules, state, when);
        expect(decision(results)).toEqual(decide(rules, state, when));
        expect([...results.values()].slice(0, -1).every((result) => result === null)).toBe(true);
        const names = [...results.keys()];
        expect(names).toEqual(DECISION_RULES.filter((name) => names.includes(name)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("never drops for quiet hours, never comes before its time, and of a required channel is never against a choice", () => {
    fc.assert(
      fc.property(anyRules, anyState, fc.constantFrom("creation", "claim"), (rules, state, when) => {
        const made = decide(rules, state, when);
        const loud = decide(rules, { ...state, quietUntil: () => null }, when);
        expect(made.outcome).toBe(loud.outcome);
        if (made.outcome !== "skip") {
          expect(made.at).toBeGreaterThanOrEqual(Math.max(NOW, state.scheduledAt ?? NOW, NOW + rules.afterMs));
        } else if (rules.isRequired) {
          expect(["expired", "no_address", "suppressed"]).toContain(made.reason);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
