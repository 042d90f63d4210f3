import { type Channel, type ChannelExplanation, type Directory, defineTypes, NotificationService } from "@belfry/core";
import { type TestClock, testClock } from "@belfry/testkit/host";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const RUNS = process.env.BELFRY_LONG ? 20_000 : 20;

/** Moments before, within and after changes of the clock in Berlin, New York, Sydney and, by half an hour, Lord Howe; and one without any. */
const MOMENTS = [
  ...["2030-01-09T23:30:00Z", "2030-03-31T00:30:00Z", "2030-03-10T06:59:00Z", "2030-10-27T00:45:00Z", "2030-04-06T15:30:00Z"],
  "2030-10-05T15:10:00Z",
];
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Sydney", "Asia/Kathmandu", "Australia/Lord_Howe"];

const types = defineTypes({
  plain: { category: "social", channels: ["inbox", "email", "push"] },
  ruled: {
    category: "social",
    channels: {
      inbox: true,
      email: { afterMs: 600_000, unlessRead: true, default: "off" },
      push: { unlessOnline: true, when: ({ data }) => data.small === true },
    },
  },
  required: {
    category: "billing",
    required: ["email"],
    channels: { email: { unlessOnline: true, when: () => false }, push: { throttle: { max: 1, perMs: 60_000 } } },
  },
  bundled: {
    category: "social",
    channels: {
      inbox: true,
      email: { unlessOnline: true, digest: { windowMs: 3_600_000, by: ({ data }) => (data.small === true ? "small" : "large") } },
      push: {
        throttle: { max: 1, perMs: 60_000 },
        digest: { windowMs: 600_000, window: "sliding", maxWindowMs: 1_200_000, leading: true },
      },
    },
  },
  calendar: {
    category: "social",
    channels: {
      email: { digest: { frequency: "daily", by: ({ data }) => (data.small === true ? "small" : "large"), unlessUrgent: true } },
      push: { throttle: { max: 1, perMs: 60_000 }, digest: { frequency: "hourly", unlessUrgent: true } },
    },
  },
  throttled: {
    channels: { email: { throttle: { max: 1, perMs: 3_600_000 }, when: ({ data }) => data.small === true }, push: { afterMs: 3_600_000 } },
  },
});
type Type = keyof typeof types;

const channel = (name: string): Channel => ({
  name,
  retryDelaysMs: [],
  timeoutMs: 5_000,
  invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
  deliver: async () => ({ status: "sent", provider: name }),
});

/** Users in time zones of their own; those of the last part have no mail address. */
const directory: Directory = (ids) =>
  new Map(
    ids.map((id) => {
      const [zoneIndex = "", mail = ""] = id.split("|");
      const zone = ZONES[Number(zoneIndex)] ?? "";
      const address = `${id.replaceAll("|", "-")}@example.com`;
      return [id, { push: address, ...(mail === "mail" ? { email: address } : {}), ...(zone === "" ? {} : { timeZone: zone }) }];
    }),
  );

const scope = fc.constantFrom(
  { all: true } as const,
  { category: "social" } as const,
  { group: "thread" } as const,
  ...(Object.keys(types) as Type[]).map((type) => ({ type })),
);
const value = fc.constantFrom("on", "off", "immediate", "hourly", "daily", "weekly" as const);
const choice = fc.record({
  target: scope,
  channel: fc.constantFrom(undefined, "email", "push"),
  value,
  when: fc.option(fc.constant({ small: true }), { nil: undefined }),
});
const time = fc.tuple(fc.nat(23), fc.constantFrom("00", "30")).map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${minute}`);
const span = fc
  .record({ from: time, to: time, days: fc.option(fc.constantFrom(["mon", "wed"] as const, ["sun", "thu"] as const), { nil: undefined }) })
  .filter(({ from, to }) => from !== to);
const given = <Value>(of: fc.Arbitrary<Value>) => fc.option(of, { nil: undefined });
const hourOf = (of: string) => Number(of.slice(0, 2)) + Number(of.slice(3)) / 60;
/** Spans may not cover the whole week. */
const leaveTime = (spans: readonly { readonly from: string; readonly to: string }[]) =>
  spans.reduce((hours, { from, to }) => hours + ((hourOf(to) - hourOf(from) + 24) % 24), 0) < 24;
const settings = fc.record({
  timeZone: given(fc.constantFrom(...ZONES)),
  digest: given(fc.record({ at: time, weekday: fc.constantFrom("mon", "thu", "sun" as const) })),
  quietHours: given(fc.array(span, { minLength: 1, maxLength: 2 }).filter(leaveTime)),
});
const anyCase = fc.record({
  moment: fc.nat(MOMENTS.length - 1),
  user: fc.record({ zone: fc.nat(ZONES.length), hasMail: fc.integer({ min: 0, max: 5 }).map((one) => one > 0) }),
  choices: fc.array(choice, { maxLength: 4 }),
  defaults: fc.array(fc.record({ choice, locked: fc.boolean() }), { maxLength: 2 }),
  own: settings,
  ofTenant: settings,
  pauseMs: given(fc.integer({ min: 1, max: 100_000_000 })),
  type: fc.constantFrom(...(Object.keys(types) as Type[])),
  priority: fc.constantFrom("normal", "urgent" as const),
  isSmall: fc.boolean(),
  isInGroup: fc.boolean(),
  isOnline: fc.boolean(),
  before: fc.nat(1),
});

type Case = typeof anyCase extends fc.Arbitrary<infer Of> ? Of : never;
type Tenant = ReturnType<NotificationService["tenant"]>;

function momentOf({ moment }: Case): string {
  return MOMENTS[moment] ?? "";
}

/**
 * Whether its type makes it wait: what the directory knows is asked later then, so the user needs a time zone that is known at once,
 * and an address.
 */
function waits({ type }: Case): boolean {
  return type === "ruled" || type === "throttled";
}

/** Without the members that are undefined. */
function some<Of extends object>(of: Of): Of {
  return Object.fromEntries(Object.entries(of).filter(([, member]) => member !== undefined)) as Of;
}

/** What `explain` says of a channel, as its delivery has to be. */
function expectedOf({ channel: name, outcome, at, reason, source, digest }: ChannelExplanation, now: number): readonly unknown[] {
  const isLater = (at?.getTime() ?? 0) > now;
  if (outcome === "skip") {
    return [name, "skipped", reason, source, null, null];
  }
  if (digest !== null && !digest.leads) {
    // Before its time it is in no window.
    const { key, frequency, closesAt } = digest;
    return [name, "pending", "digest", source, null, isLater ? null : { key, frequency, closesAt }];
  }
  const why = reason === "quiet_hours" ? [reason, source] : [null, null];
  return isLater ? [name, "pending", ...why, at, null] : [name, "sent", null, null, null, null];
}

onEveryStorage((database) => {
  function serviceAt(moment: string): { readonly service: NotificationService; readonly clock: TestClock } {
    const clock = testClock(new Date(moment));
    const options = { types, channels: [channel("email"), channel("push")], directory, logger: silent };
    const made = new NotificationService({ storage: database.storage(), clock, ...options });
    return { service: stopsAfterTest(made) as unknown as NotificationService, clock };
  }

  /** Sets what the user and the tenant chose in a case. */
  async function prepare(tenant: Tenant, user: string, one: Case): Promise<void> {
    const now = Date.parse(momentOf(one));
    for (const { target, value: chosen, ...rest } of one.choices) {
      await tenant.preferences.set(user, some({ ...target, ...rest }) as never, chosen);
    }
    for (const { choice: made, locked } of one.defaults) {
      const { target, value: chosen, ...rest } = made;
      await tenant.preferences.defaults.set(some({ ...target, ...rest, locked }) as never, chosen);
    }
    const pauseUntil = one.pauseMs === undefined ? undefined : new Date(now + one.pauseMs);
    const timeZone = one.own.timeZone ?? (waits(one) ? "Europe/Berlin" : undefined);
    await tenant.preferences.setSettings(user, some({ ...one.own, timeZone, pauseUntil }) as never);
    await tenant.preferences.defaults.setSettings(some(one.ofTenant) as never);
  }

  /** What became of the deliveries of a notification beside the one over the inbox. */
  async function madeOf(tenant: Tenant, id: string): Promise<readonly (readonly unknown[])[]> {
    const { deliveries } = await tenant.deliveries(id);
    return deliveries
      .filter((delivery) => delivery.channel !== "inbox")
      .map(({ channel: name, status, reason, reasonSource, dueAt, digest }) => {
        const waits = status === "pending" && digest !== null;
        const window = waits ? { key: digest.plan.key, frequency: digest.plan.frequency, closesAt: digest.closesAt } : null;
        return [name, status, reason, reasonSource, dueAt, window];
      });
  }

  /**
   * What became of the deliveries. What a digest asks again when it closes, such as the address, is asked then: for what is expected to be
   * skipped, the clock moves on.
   */
  async function lastOf(
    { service, clock }: ReturnType<typeof serviceAt>,
    { tenant, id, expected }: { readonly tenant: Tenant; readonly id: string; readonly expected: readonly (readonly unknown[])[] },
  ): Promise<readonly (readonly unknown[])[]> {
    const first = await madeOf(tenant, id);
    const isOpen = ([, status]: readonly unknown[], index: number) => status === "pending" && expected[index]?.[1] === "skipped";
    let done = first;
    for (let round = 0; done.some(isOpen) && round < 5; round += 1) {
      const next = done
        .filter(isOpen)
        .map(([, , , , dueAt, window]) => (dueAt ?? (window as { readonly closesAt: Date }).closesAt) as Date);
      await clock.skipTo(new Date(Math.max(clock.now(), ...next.map((time) => time.getTime()))));
      await service.runDue();
      done = await madeOf(tenant, id);
    }
    return first.map((delivery, index) => (isOpen(delivery, index) ? (done[index] ?? []) : delivery));
  }

  const expectedHere = (explained: readonly ChannelExplanation[], one: Case) =>
    explained.filter(({ channel: name }) => name !== "inbox").map((each) => expectedOf(each, Date.parse(momentOf(one))));

  async function createBefore(create: () => Promise<unknown>, count: number): Promise<void> {
    for (let made = 0; made < count; made += 1) {
      await create();
    }
  }

  /** What is explained in a case, what has to become of it by that, and what became of it. */
  async function happened(made: ReturnType<typeof serviceAt>, one: Case, run: number) {
    const { service } = made;
    const tenant = service.tenant(`tenant ${one.moment} ${run}`);
    const user = `${one.user.zone}|${one.user.hasMail || waits(one) ? "mail" : ""}|${run}`;
    await prepare(tenant, user, one);
    const { type, priority } = one;
    const about = { priority, data: { small: one.isSmall }, ...(one.isInGroup ? { group: "thread" } : {}) };
    const create = () => tenant.create({ to: user, title: "Hello", message: "World", type, ...about });
    await createBefore(create, one.before);
    const subscription = one.isOnline ? tenant.inbox(user).subscribe({ onEvent: () => {}, onState: () => {} }) : null;
    await subscription?.ready;
    const explained = await tenant.explain(user, type, about);
    const { notification } = await create();
    await service.runDue();
    const expected = expectedHere(explained, one);
    const done = await lastOf(made, { tenant, id: notification.id, expected });
    subscription?.close();
    return { explained, expected, done };
  }

  describe("explain", () => {
    test(`says what the engine does, in ${RUNS} cases`, { timeout: 7_200_000 }, async () => {
      const services = new Map<number, ReturnType<typeof serviceAt>>();
      let run = 0;
      const found = { type: 0, hourly: 0, daily: 0, weekly: 0 };
      await fc.assert(
        fc.asyncProperty(anyCase, async (one) => {
          run += 1;
          const made = services.get(one.moment) ?? serviceAt(momentOf(one));
          services.set(one.moment, made);
          const { explained, done, expected } = await happened(made, one, run);
          if (made.clock.now() > Date.parse(momentOf(one))) {
            // Later cases are of that moment, too.
            services.delete(one.moment);
            await made.service.stop();
          }
          for (const { digest } of explained) {
            found[digest?.frequency ?? "type"] += digest === null ? 0 : 1;
          }
          expect(done).toEqual(expected);
          expect(explained.every(({ rules }) => rules.at(-1)?.decision !== null)).toBe(true);
        }),
        { numRuns: RUNS },
      );
      // Digests of types and of every frequency are among the cases: a few cases may miss one of them by chance.
      expect(Object.values(found).filter((count) => count > RUNS / 100).length).toBeGreaterThanOrEqual(RUNS < 1_000 ? 1 : 4);
    });

    test("shows each rule that was asked, and whose decision it is; of a wrong question it says what is wrong", async () => {
      const { service } = serviceAt("2030-01-09T12:00:00Z");
      await service.preferences.set("0|mail|ann", { type: "plain", channel: "email" }, "off");
      const [inbox, email, push] = await service.explain("0|mail|ann", "plain");
      const at = new Date("2030-01-09T12:00:00Z");
      expect(inbox).toMatchObject({ channel: "inbox", outcome: "deliver", at, reason: "due", source: "notification" });
      const off = { outcome: "skip", at: null, reason: "preference", source: "user type email" };
      expect(email).toEqual({
        channel: "email",
        ...off,
        pause: null,
        digest: null,
        rules: [
          { rule: "expiry", decision: null },
          { rule: "address", decision: null },
          { rule: "required", decision: null },
          { rule: "preference", decision: off },
        ],
      });
      expect(push?.rules.map(({ rule }) => rule).slice(3)).toEqual(["preference", "condition", "digest", "throttle", "quiet hours", "due"]);
      await expect(service.explain("ann", "nothing")).rejects.toMatchObject({ code: "UNKNOWN_TYPE" });
      await expect(service.explain("ann", "plain", { when: at } as never)).rejects.toThrow(
        'explain takes at, data, priority, topic, group; got "when"',
      );
      await expect(service.explain("", "plain")).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
    });
  });
});
