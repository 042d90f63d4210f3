import { BelfryError, type Channel, type ChoiceValue, type Clock, type Directory, defineTypes, NotificationService } from "@belfry/core";
import type { TenantChoice } from "@belfry/core/storage";
import { testClock } from "@belfry/testkit/host";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

function channel(name: string, more: Partial<Channel> = {}): Channel {
  return {
    name,
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
    deliver: async () => ({ status: "sent", provider: "test" }),
    ...more,
  };
}

const types = defineTypes({
  comment: { label: "New comment", category: "social", channels: { inbox: { optional: true }, email: true, push: { default: "off" } } },
  mention: { category: "social", channels: ["inbox", "email"] },
  invoice: { category: "billing", required: ["email"], channels: ["inbox", "email", "push"] },
  note: {},
});

/** Ann has every address, Bob none but his inbox, Cat's are not known. */
const directory: Directory = async (ids) => {
  if (ids.includes("cat")) {
    throw new Error("No connection to the directory.");
  }
  const contacts = { ann: { email: "ann@example.com", push: "ann@push" }, bob: { email: "nowhere" } };
  return new Map(Object.entries(contacts).filter(([id]) => ids.includes(id)));
};

onEveryStorage((database) => {
  function setUp(more: { readonly directory?: Directory; readonly channels?: readonly Channel[]; readonly clock?: Clock } = {}) {
    const channels = [channel("email"), channel("push")];
    const options = { storage: database.storage(), types, channels, directory, logger: silent, ...more };
    const notifications = stopsAfterTest(new NotificationService(options));
    return { notifications, preferences: notifications.preferences };
  }

  type Preferences = ReturnType<typeof setUp>["preferences"];

  /** What counts for a user, as `type channel: value (source)`, with a `!` where the user cannot change it. */
  async function effective(preferences: Preferences, userId = "ann"): Promise<readonly string[]> {
    const { types: all } = await preferences.list(userId);
    return all.flatMap(({ type, channels }) =>
      channels.map(({ channel: name, value, source, isChangeable }) => `${type} ${name}: ${value} (${source})${isChangeable ? "" : "!"}`),
    );
  }

  describe("what counts", () => {
    test("is the type's where nobody chose, and what is required or in an inbox that is not optional cannot be changed", async () => {
      const { preferences } = setUp();
      expect(await effective(preferences)).toEqual([
        ...["comment inbox: on (default)", "comment email: on (default)", "comment push: off (type)"],
        ...["mention inbox: on (type)!", "mention email: on (default)"],
        ...["invoice inbox: on (type)!", "invoice email: on (required)!", "invoice push: on (default)"],
        "note inbox: on (type)!",
      ]);
      const [comment, mention] = (await preferences.list("ann")).types;
      expect(comment).toMatchObject({ type: "comment", label: "New comment", category: "social" });
      expect(mention).toMatchObject({ type: "mention", label: "Mention" });
    });

    test("is shown with names in the language of the reader: the one asked for, else the directory's, else the service's", async () => {
      const label = ({ locale }: { readonly locale: string }) => (locale === "de" ? "Freunde" : "Friends");
      const contacts: Directory = (ids) => new Map(ids.map((id) => [id, { email: `${id}@example.com`, locale: id === "ann" ? "de" : "" }]));
      const service = stopsAfterTest(
        new NotificationService({
          ...{ storage: database.storage(), channels: [channel("email")], directory: contacts, logger: silent },
          types: defineTypes({ post: { category: "social", label: ({ locale }) => `Post ${locale}`, channels: ["email"] } }),
          categories: { social: { label }, billing: {} },
        }),
      );
      const shown = async (userId: string, locale?: string) => {
        const list = await service.preferences.list(userId, locale === undefined ? {} : { locale });
        return [list.categories, list.types.map((type) => type.label)];
      };
      expect(await shown("ann")).toEqual([[{ category: "social", label: "Freunde" }], ["Post de"]]);
      expect(await shown("ann", "fr")).toEqual([[{ category: "social", label: "Friends" }], ["Post fr"]]);
      expect(await shown("bob")).toEqual([[{ category: "social", label: "Friends" }], ["Post en"]]);
      await expect(service.preferences.list("bob", { locale: "not one" })).rejects.toMatchObject({ code: "VALIDATION_ERROR" });
      const { preferences } = setUp();
      expect((await preferences.list("ann")).categories.map((one) => one.label)).toEqual(["Social", "Billing"]);
    });

    test("is the user's more specific choice, the tenant's default without one, and the tenant's locked choice before both", async () => {
      const { preferences } = setUp();
      await preferences.set("ann", { all: true }, "off");
      await preferences.set("ann", { category: "social", channel: "email" }, "daily");
      await preferences.set("ann", { type: "comment", channel: "email" }, "immediate");
      await preferences.defaults.set({ type: "invoice", channel: "push", locked: true }, "on");
      await preferences.defaults.set({ category: "social", channel: "email" }, "weekly");
      expect(await effective(preferences)).toEqual([
        ...["comment inbox: off (user all)", "comment email: immediate (user type email)", "comment push: off (user all)"],
        ...["mention inbox: on (type)!", "mention email: daily (user category email)"],
        ...["invoice inbox: on (type)!", "invoice email: on (required)!", "invoice push: on (locked type push)!"],
        "note inbox: on (type)!",
      ]);
      expect(await preferences.takeBack("ann", { all: true })).toBe(true);
      expect(await preferences.takeBack("ann", { category: "social", channel: "email" })).toBe(true);
      expect(await preferences.takeBack("ann", { category: "social", channel: "email" })).toBe(false);
      expect(await preferences.defaults.takeBack({ type: "invoice", channel: "push" })).toBe(true);
      expect(await effective(preferences)).toEqual([
        ...["comment inbox: on (default)", "comment email: immediate (user type email)", "comment push: off (type)"],
        ...["mention inbox: on (type)!", "mention email: weekly (tenant category email)"],
        ...["invoice inbox: on (type)!", "invoice email: on (required)!", "invoice push: on (default)"],
        "note inbox: on (type)!",
      ]);
    });

    test("leaves conditions out, which hold for some notifications only, and shows them among the choices", async () => {
      const { preferences } = setUp();
      await preferences.set("ann", { type: "comment", when: { author: { operator: "not_equals", value: "bob" } } }, "off");
      await preferences.set("ann", { category: "social" }, "hourly");
      expect((await effective(preferences)).slice(0, 3)).toEqual([
        "comment inbox: on (user category)",
        "comment email: hourly (user category)",
        "comment push: hourly (user category)",
      ]);
      expect((await preferences.list("ann")).choices).toEqual([
        { scope: "type", name: "comment", channel: null, value: "off", when: { author: { operator: "not_equals", value: "bob" } } },
        { scope: "category", name: "social", channel: null, value: "hourly", when: null },
      ]);
    });

    test("is shown for the channels over which the user can be reached, and for all of them if the directory fails", async () => {
      const { preferences } = setUp();
      const channelsOf = async (of: Preferences, userId: string) =>
        (await of.list(userId)).types.map(({ channels }) => channels.map(({ channel: name }) => name).join(" "));
      expect(await channelsOf(preferences, "ann")).toEqual(["inbox email push", "inbox email", "inbox email push", "inbox"]);
      expect(await channelsOf(preferences, "bob")).toEqual(["inbox", "inbox", "inbox", "inbox"]);
      expect(await channelsOf(preferences, "dan@example.com")).toEqual(["inbox email push", "inbox email", "inbox email push", "inbox"]);
      expect(await channelsOf(preferences, "cat")).toEqual(["inbox email push", "inbox email", "inbox email push", "inbox"]);
      const notSetUp = setUp({ channels: [channel("email"), channel("push", { isConfigured: () => false })] });
      expect(await channelsOf(notSetUp.preferences, "ann")).toEqual(["inbox email", "inbox email", "inbox email", "inbox"]);
    });

    test("waits five seconds for a directory, and then shows all channels", async () => {
      const clock = testClock();
      const { preferences } = setUp({ directory: () => new Promise(() => undefined), clock });
      const listed = preferences.list("ann");
      await vi.waitFor(() => expect(clock.pending).toBeGreaterThan(0));
      await clock.pass(5_000);
      expect((await listed).types[0]?.channels).toHaveLength(3);
    });

    test("differs by tenant", async () => {
      const { notifications, preferences } = setUp();
      await notifications.tenant("acme").preferences.set("ann", { category: "social" }, "off");
      await notifications.tenant("acme").preferences.defaults.setSettings({ timeZone: "Asia/Tokyo" });
      expect((await preferences.list("ann")).choices).toEqual([]);
      expect((await preferences.defaults.list()).settings.timeZone).toBeNull();
      expect((await notifications.tenant("acme").preferences.list("ann")).choices).toHaveLength(1);
    });
  });

  test("a topic and a group are muted until they are unmuted, which leaves other choices about them alone", async () => {
    const { preferences } = setUp();
    await preferences.mute("ann", { topic: "post:7" });
    await preferences.mute("ann", { group: "thread-1" });
    await preferences.set("ann", { topic: "post:8" }, "daily");
    const muted = { channel: null, value: "off", when: null };
    expect((await preferences.list("ann")).choices).toEqual([
      { scope: "group", name: "thread-1", ...muted },
      { scope: "topic", name: "post:7", ...muted },
      { scope: "topic", name: "post:8", ...muted, value: "daily" },
    ]);
    expect(await preferences.unmute("ann", { topic: "post:7" })).toBe(true);
    expect(await preferences.unmute("ann", { topic: "post:7" })).toBe(false);
    expect(await preferences.unmute("ann", { topic: "post:8" })).toBe(false);
    expect((await preferences.list("ann")).choices.map(({ name }) => name)).toEqual(["thread-1", "post:8"]);
  });

  test("a choice with conditions stands beside the one without and those with others, and is taken back by the same conditions", async () => {
    const { notifications, preferences } = setUp();
    const by = (author: string) => ({ type: "comment", channel: "email", when: { author, size: { operator: "gt", value: 1 } } }) as const;
    const same = { type: "comment", channel: "email", when: { size: { value: 1, operator: "gt" }, author: "bob" } } as const;
    const mailOf = async (author: string) => {
      const explained = await notifications.explain("ann", "comment", { data: { author, size: 2 } });
      return explained.find(({ channel: name }) => name === "email")?.outcome;
    };
    await preferences.set("ann", { type: "comment", channel: "email" }, "off");
    await preferences.set("ann", by("bob"), "off");
    await preferences.set("ann", by("ada"), "on");
    expect([await mailOf("carl"), await mailOf("bob"), await mailOf("ada")]).toEqual(["skip", "skip", "deliver"]);
    expect((await preferences.list("ann")).choices.map(({ when }) => when?.author ?? null)).toEqual(["ada", "bob", null]);
    await preferences.set("ann", same, "on");
    expect(await mailOf("bob")).toBe("deliver");
    expect((await preferences.list("ann")).choices).toHaveLength(3);
    expect(await preferences.takeBack("ann", { type: "comment", channel: "email", when: { author: "bob" } })).toBe(false);
    expect(await preferences.takeBack("ann", same)).toBe(true);
    expect(await mailOf("bob")).toBe("skip");
    expect(await preferences.takeBack("ann", { type: "comment", channel: "email" })).toBe(true);
    expect([await mailOf("carl"), (await preferences.list("ann")).choices.length]).toEqual(["deliver", 1]);
  });

  test("settings change one by one, and are taken back by null", async () => {
    const { preferences } = setUp();
    const pauseUntil = new Date(Date.UTC(2030, 0, 1));
    await preferences.setSettings("ann", { timeZone: "Europe/Berlin", quietHours: { from: "22:00", to: "07:00" }, pauseUntil });
    await preferences.setSettings("ann", { digest: { at: "18:30" } });
    await preferences.setSettings("ann", {});
    expect((await preferences.list("ann")).settings).toEqual({
      timeZone: "Europe/Berlin",
      quietHours: [{ from: "22:00", to: "07:00" }],
      pauseUntil,
      digest: { at: "18:30", weekday: "mon" },
    });
    const weekend = { timeZone: "Asia/Tokyo", from: "00:00", to: "23:59", days: ["sat", "sun"], channels: ["email"] } as const;
    await preferences.setSettings("ann", { quietHours: [weekend, { from: "23:00", to: "01:00" }], pauseUntil: null, digest: null });
    expect((await preferences.list("ann")).settings).toEqual({
      ...{ timeZone: "Europe/Berlin", pauseUntil: null, digest: null },
      quietHours: [weekend, { from: "23:00", to: "01:00" }],
    });
    await preferences.setSettings("ann", { pauseUntil: "2030-01-01T01:00:00+01:00" });
    expect((await preferences.list("ann")).settings.pauseUntil).toEqual(pauseUntil);
    await preferences.setSettings("ann", { timeZone: null, quietHours: null, pauseUntil: null });
    const nothing = { timeZone: null, quietHours: null, pauseUntil: null, digest: null };
    expect((await preferences.list("ann")).settings).toEqual(nothing);
    expect((await preferences.list("bob")).settings).toEqual(nothing);
  });

  test("what waits for a user's quiet hours is decided anew at once when the user changes them, and nobody else's", async () => {
    const clock = testClock();
    const deliver = vi.fn<Channel["deliver"]>().mockResolvedValue({ status: "sent", provider: "test" });
    const options = { storage: database.storage(), channels: [channel("email", { deliver }), channel("push")], directory, clock };
    const notifications = stopsAfterTest(new NotificationService({ ...options, logger: silent }));
    const { preferences } = notifications;
    const until = (ms: number) => new Date(clock.now() + ms).toISOString().slice(11, 16);
    await preferences.setSettings("ann", { timeZone: "UTC", quietHours: { from: until(-3_600_000), to: until(5 * 3_600_000) } });
    const { notification } = await notifications.create({ to: "ann", channels: ["email"], title: "Hello", message: "x" });
    const waitsMs = async () => {
      await notifications.runDue();
      const [delivery] = (await notifications.deliveries(notification.id)).deliveries;
      return delivery?.reason === "quiet_hours" ? (delivery.dueAt?.getTime() ?? 0) - clock.now() : delivery?.status;
    };
    expect(await waitsMs()).toBe(5 * 3_600_000);
    await preferences.setSettings("bob", { quietHours: null });
    await preferences.defaults.setSettings({ quietHours: null });
    expect(await waitsMs()).toBe(5 * 3_600_000);
    await preferences.setSettings("ann", { quietHours: { from: until(-3_600_000), to: until(3_600_000) } });
    expect(await waitsMs()).toBe(3_600_000);
    await preferences.setSettings("ann", { quietHours: null, pauseUntil: new Date(clock.now() + 60_000) });
    expect(await waitsMs()).toBe(60_000);
    expect(deliver).not.toHaveBeenCalled();
    await preferences.setSettings("ann", { pauseUntil: null });
    expect(await waitsMs()).toBe("sent");
    expect(deliver).toHaveBeenCalledTimes(1);
  });

  const refused: readonly (readonly [string, (preferences: Preferences) => Promise<unknown>, string])[] = [
    ["an unknown member", (of) => of.set("ann", { type: "note", chanel: "email" } as never, "on"), 'all, channel, when; got "chanel"'],
    ["a lock of a user", (of) => of.set("ann", { type: "note", locked: true } as never, "on"), 'got "locked"'],
    ["no target", (of) => of.set("ann", {} as never, "off"), "takes one of group, topic, type, category, all: true; got none of them"],
    ["a forgotten name", (of) => of.set("ann", { category: undefined } as never, "off"), "got none of them"],
    ["two targets", (of) => of.set("ann", { category: "social", type: "note" } as never, "off"), "got type and category"],
    ["all: false", (of) => of.set("ann", { all: false } as never, "off"), "all: must be true, is false"],
    ["an unknown category", (of) => of.set("ann", { category: "sozial" }, "off"), 'one of social, billing; is "sozial"'],
    ["an unknown channel", (of) => of.set("ann", { all: true, channel: "mail" }, "off"), 'one of inbox, email, push; is "mail"'],
    ["an unknown value", (of) => of.set("ann", { type: "note" }, "monthly" as never), "value: must be one of on, off, immediate, hourly"],
    ["a digest of the inbox", (of) => of.set("ann", { type: "note", channel: "inbox" }, "daily"), "value: must be on, off or immediate"],
    [
      "a condition that is none",
      (of) => of.set("ann", { type: "note", when: { a: { operator: "like" } } }, "off"),
      "when.a.operator: must be",
    ],
    ["no condition", (of) => of.set("ann", { type: "note", when: {} }, "off"), "when: must have a condition, or be left out"],
    [
      "a condition on nothing",
      (of) => of.set("ann", { type: "note", when: { "": 2 } }, "off"),
      "when: must name a member of the data in each condition",
    ],
    [
      "an operator of another language",
      (of) => of.takeBack("ann", { type: "note", when: { a: { $foo: 1 } } }),
      'when.a: must be a value, or { operator, value } with an operator such as "not_equals" or "in"; has "$foo"',
    ],
    ["a mute of a type", (of) => of.mute("ann", { type: "note" } as never), 'preferences.mute takes topic, group; got "type"'],
    [
      "a lock that is no truth",
      (of) => of.defaults.set({ type: "note", locked: "yes" } as never, "on"),
      "locked: must be one of true, false",
    ],
    ["no user", (of) => of.list(""), "user_id: must not be empty"],
    [
      "an unknown zone",
      (of) => of.setSettings("ann", { timeZone: "Europe/Bärlin" }),
      'timeZone: must be an IANA time zone such as "Europe/',
    ],
    [
      "an empty span",
      (of) => of.setSettings("ann", { quietHours: { from: "07:00", to: "07:00" } }),
      "quietHours.to: must differ from its from",
    ],
    [
      "7:00",
      (of) => of.setSettings("ann", { quietHours: [{ from: "7:00", to: "08:00" }] }),
      'quietHours.0.from: must be a local time from "00:00"',
    ],
    ["24:00", (of) => of.setSettings("ann", { digest: { at: "24:00" } }), "digest.at: must be a local time"],
    ["a day of none", (of) => of.setSettings("ann", { digest: { weekday: "monday" as never } }), "digest.weekday: must be one of mon, tue"],
    [
      "no days",
      (of) => of.setSettings("ann", { quietHours: { from: "07:00", to: "08:00", days: [] } }),
      "quietHours.days: must be a list of one or more, or left out for all, is an empty list",
    ],
    [
      "a span of an unknown channel",
      (of) => of.setSettings("ann", { quietHours: { from: "07:00", to: "08:00", channels: ["email", "sms"] } }),
      'quietHours.channels.1: must be a channel of the service, one of inbox, email, push; is "sms"',
    ],
    ["a span with more in it", (of) => of.setSettings("ann", { quietHours: { form: "07:00" } as never }), 'channels; got "form"'],
    [
      "21 spans",
      (of) => of.setSettings("ann", { quietHours: Array.from({ length: 21 }, () => ({ from: "07:00", to: "08:00" })) }),
      "quietHours: must have at most 20 spans, has 21",
    ],
    [
      "a pause that is no date",
      (of) => of.setSettings("ann", { pauseUntil: new Date(Number.NaN) }),
      "years 1970 to 9999, is an invalid Date",
    ],
    [
      "a pause of a local time",
      (of) => of.setSettings("ann", { pauseUntil: "2030-01-01T10:00" }),
      'pauseUntil: must be a time like 2030-01-31T12:00:00Z, of the years 1970 to 9999, is "2030-01-01T10:00"',
    ],
    [
      "a pause that is over",
      (of) => of.setSettings("ann", { pauseUntil: "2020-01-01T10:00:00+01:00" }),
      "pauseUntil: must be a time in the future, or null to end a pause; is 2020-01-01T09:00:00.000Z",
    ],
    [
      "quiet hours of the whole day",
      (of) =>
        of.setSettings("ann", {
          quietHours: [
            { from: "00:00", to: "12:00" },
            { from: "12:00", to: "00:00" },
          ],
        }),
      "quietHours: must leave at least a minute of the week free; they cover all of it",
    ],
    [
      "quiet hours of all time for one channel",
      (of) =>
        of.defaults.setSettings({
          quietHours: [
            { from: "20:00", to: "08:00" },
            { from: "07:00", to: "21:00", channels: ["push"] },
          ],
        }),
      "quietHours: must leave at least a minute of the week free for push; they",
    ],
    [
      "quiet hours of the inbox",
      (of) => of.setSettings("ann", { quietHours: { from: "20:00", to: "08:00", channels: ["email", "inbox"] } }),
      "quietHours.channels.1: must be a channel other than the inbox, which has no quiet hours",
    ],
    [
      "a channel of quiet hours twice",
      (of) => of.setSettings("ann", { quietHours: { from: "20:00", to: "08:00", channels: ["email", "email"] } }),
      'quietHours.channels.1: names "email" twice',
    ],
    [
      "a pause of all users",
      (of) => of.defaults.setSettings({ pauseUntil: new Date() } as never),
      'timeZone, quietHours, digest; got "pauseUntil"',
    ],
  ];

  test.each(refused)("%s is refused by name, and nothing is stored", async (_, call, message) => {
    const { preferences } = setUp();
    const failure = await call(preferences).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BelfryError);
    expect(failure).toMatchObject({ code: "VALIDATION_ERROR", message: expect.stringContaining(message) });
    const { choices, settings } = await preferences.list("ann");
    expect([choices, settings.quietHours]).toEqual([[], null]);
  });

  test("an unknown type is refused where types are declared; what is declared no more can be taken back", async () => {
    const { preferences } = setUp();
    await expect(preferences.set("ann", { type: "nothing" as never }, "off")).rejects.toMatchObject({ code: "UNKNOWN_TYPE" });
    const untyped = stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent }));
    await untyped.preferences.set("ann", { type: "gone" }, "off");
    await untyped.preferences.set("ann", { category: "gone" }, "off");
    expect((await untyped.preferences.list("ann")).types).toEqual([]);
    expect(await untyped.preferences.takeBack("ann", { type: "gone", channel: "gone" })).toBe(false);
    expect(await untyped.preferences.takeBack("ann", { type: "gone" })).toBe(true);
  });

  test("a user has 1,000 choices at the most", async () => {
    const storage = database.storage();
    const set = vi.spyOn(storage.decisions, "setChoice").mockResolvedValue(false);
    const notifications = stopsAfterTest(new NotificationService({ storage, logger: silent }));
    await expect(notifications.preferences.mute("ann", { topic: "post:7" })).rejects.toMatchObject({
      code: "INVALID_STATE",
      message: "The user has 1000 choices already, and may have no more. Take one back first.",
    });
    expect(set.mock.calls[0]?.[2]).toBe(1_000);
  });

  test("a general edit never changes a specific choice, in whatever order they come", async () => {
    const { notifications, preferences } = setUp();
    const target = fc.constantFrom<readonly [rank: number, input: object]>(
      [0, { type: "comment", channel: "email" }],
      [1, { type: "comment" }],
      [2, { category: "social", channel: "email" }],
      [3, { category: "social" }],
      [4, { all: true, channel: "email" }],
      [5, { all: true }],
    );
    const value = fc.constantFrom<ChoiceValue | null>("on", "off", "immediate", "hourly", "daily", "weekly", null);
    let run = 0;
    const edits = fc.array(fc.tuple(target, value), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(edits, async (all) => {
        run += 1;
        const user = `ann-${run}@example.com`;
        const made = new Map<number, ChoiceValue>();
        for (const [[rank, input], chosen] of all) {
          if (chosen === null) {
            expect(await preferences.takeBack(user, input as never)).toBe(made.delete(rank));
          } else {
            await preferences.set(user, input as never, chosen);
            made.set(rank, chosen);
          }
          const most = [...made.keys()].sort((left, right) => left - right)[0];
          const { types: listed, choices } = await preferences.list(user);
          const email = listed[0]?.channels.find((one) => one.channel === "email");
          expect(email?.value).toBe(most === undefined ? "on" : made.get(most));
          expect(choices.map((choice) => choice.value)).toEqual([...made].sort(([left], [right]) => left - right).map(([, one]) => one));
        }
      }),
      { numRuns: 40 },
    );
    const other: readonly TenantChoice[] = (await notifications.preferences.defaults.list()).choices;
    expect(other).toEqual([]);
  });
});
