import { type Channel, type DeliveryOutcome, type DeliveryTask, defineTypes, NotificationService, parseDeviceAddress } from "@belfry/core";
import { expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const SENT = { status: "sent", provider: "test" } as const;
const failure = (more: object = {}): DeliveryOutcome => ({ status: "failed", transient: false, provider: "test", error: "no", ...more });

const types = defineTypes({
  note: { label: "A note" },
  chat: { label: "A chat", channels: { push: { digest: { windowMs: 1_000 } } } },
});

/** The token of the device that a task is for. */
const tokenOf = ({ address }: DeliveryTask) => parseDeviceAddress(address)?.token ?? "none";

onEveryStorage((database) => {
  /** A service with a channel that delivers to devices, whose answers the test decides on by token. */
  function setUp(options: Partial<ConstructorParameters<typeof NotificationService>[0]> = {}) {
    const answers = new Map<string, (attempt: number) => DeliveryOutcome | Promise<DeliveryOutcome>>();
    const tasks: DeliveryTask[] = [];
    const channel: Channel = {
      name: "push",
      devices: ["fcm"],
      retryDelaysMs: [1],
      timeoutMs: 60_000,
      invalidRecipient: (recipient) =>
        parseDeviceAddress(recipient)?.token === "refused" ? "is refused" : parseDeviceAddress(recipient) ? null : "is no device",
      async deliver(task) {
        tasks.push(task);
        return (await answers.get(tokenOf(task))?.(task.attempt)) ?? SENT;
      },
    };
    const mails: string[] = [];
    const email: Channel = {
      name: "email",
      retryDelaysMs: [],
      timeoutMs: 60_000,
      invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
      async deliver({ recipient }) {
        mails.push(recipient);
        return SENT;
      },
    };
    const notifications = stopsAfterTest(
      new NotificationService({ storage: database.storage(), channels: [channel, email], logger: silent, types, ...options }),
    );
    const register = (userId: string, ...tokens: readonly string[]) =>
      tokens.reduce(
        (before, token) =>
          before.then(async () => [...(await before), await notifications.devices.register(userId, { platform: "fcm", token })]),
        Promise.resolve<readonly { readonly id: string }[]>([]),
      );
    const create = async (to: string | readonly string[], more: object = {}) =>
      (await notifications.create({ to, channels: ["push"], title: "Hello", type: "note", ...more } as never)).notification.id;
    const statuses = async (id: string) => (await notifications.deliveries(id)).deliveries.map(({ status }) => status).sort();
    return { notifications, answers, tasks, mails, register, create, statuses, tokens: () => tasks.map(tokenOf).sort() };
  }

  test("each device of a user gets a delivery of its own, which fails, is tried again and settles by itself", async () => {
    const { notifications, answers, tasks, register, create, statuses, tokens } = setUp();
    await register("ann", "phone", "laptop", "tablet");
    await register("bob", "bobs");
    answers.set("phone", () => failure());
    answers.set("laptop", (attempt) => (attempt === 1 ? failure({ transient: true }) : SENT));
    const id = await create(["ann", "bob"]);
    await vi.waitFor(async () => expect(await statuses(id)).toEqual(["failed", "sent", "sent", "sent"]));
    expect(tokens()).toEqual(["bobs", "laptop", "laptop", "phone", "tablet"]);
    expect(await notifications.get(id)).toMatchObject({ status: "sent" });
    expect(new Set(tasks.map((task) => task.id)).size).toBe(4);
    const { deliveries } = await notifications.deliveries(id);
    expect(deliveries.map(({ chain }) => chain)).toEqual([0, 0, 0, 1]);
    expect(JSON.stringify([deliveries, await notifications.timeline(id)])).not.toContain("tablet");
  });

  test("a device that does not answer holds up none of the user's others", async () => {
    const { answers, register, create, tokens, statuses } = setUp();
    await register("ann", "hangs", "laptop", "tablet");
    const { promise, resolve: answer } = Promise.withResolvers<DeliveryOutcome>();
    answers.set("hangs", () => promise);
    const id = await create("ann");
    await vi.waitFor(() => expect(tokens()).toEqual(["hangs", "laptop", "tablet"]));
    await vi.waitFor(async () => expect(await statuses(id)).toEqual(["pending", "sent", "sent"]));
    answer(SENT);
    await vi.waitFor(async () => expect(await statuses(id)).toEqual(["sent", "sent", "sent"]));
  });

  test("a device that is gone is removed after one attempt, unless it has a new token by then, and the others stay in use", async () => {
    const { notifications, answers, register, create, statuses, tokens } = setUp();
    const [, renewed] = await register("ann", "gone", "old", "stays");
    const gone = failure({ isEndpointGone: true });
    answers.set("gone", () => gone);
    answers.set("old", async () => {
      await notifications.devices.register("ann", { platform: "fcm", token: "new", ...(renewed && { replaces: renewed.id }) });
      return gone;
    });
    const first = await create("ann");
    await vi.waitFor(async () => expect(await statuses(first)).toEqual(["failed", "failed", "sent"]));
    expect(await notifications.devices.list("ann")).toHaveLength(2);
    const second = await create("ann");
    await vi.waitFor(async () => expect(await statuses(second)).toEqual(["sent", "sent"]));
    expect(tokens()).toEqual(["gone", "new", "old", "stays", "stays"]);
  });

  test("a fallback goes out once every device has failed, or there is none, and not before", async () => {
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
    const { notifications, answers, mails, register, create, statuses } = setUp({ directory });
    await register("ann", "fails", "works");
    await register("bob", "fails-too", "fails-as-well");
    for (const token of ["fails", "fails-too", "fails-as-well"]) {
      answers.set(token, () => failure());
    }
    const fallback = { channel: "email" };
    const ids = [await create("ann", { fallback }), await create("bob", { fallback }), await create("cat", { fallback })];
    const [ann = "", bob = "", cat = ""] = ids;
    await vi.waitFor(async () => expect(await statuses(bob)).toEqual(["failed", "failed", "sent"]));
    await vi.waitFor(async () => expect(await statuses(cat)).toEqual(["sent", "skipped"]));
    await vi.waitFor(async () => expect(await statuses(ann)).toEqual(["failed", "sent", "waiting"]));
    expect(mails.sort()).toEqual(["bob", "cat"]);
    expect(await Promise.all(ids.map(async (id) => (await notifications.get(id)).status))).toEqual(["sent", "sent", "sent"]);
  });

  test("a retry that somebody asks for is made to each device that failed", async () => {
    const { notifications, answers, register, create, statuses, tokens } = setUp();
    await register("ann", "phone", "laptop");
    answers.set("phone", () => failure());
    answers.set("laptop", () => failure());
    const id = await create("ann");
    await vi.waitFor(async () => expect((await notifications.get(id)).status).toBe("failed"));
    await vi.waitFor(async () => expect(await statuses(id)).toEqual(["failed", "failed"]));
    answers.clear();
    await notifications.retry(id);
    await vi.waitFor(async () => expect(await statuses(id)).toEqual(["sent", "sent"]));
    expect(tokens()).toEqual(["laptop", "laptop", "phone", "phone"]);
  });

  test("a task has the device's group and badge, and a user without a device is skipped", async () => {
    const { notifications, tasks, register, create, statuses } = setUp();
    await notifications.create({ to: "ann", type: "note", title: "Unread" });
    await register("ann", "phone");
    const id = await create("ann", { channels: ["inbox", "push"], group: "post 7" });
    await vi.waitFor(() => expect(tasks).toMatchObject([{ recipient: "ann", group: "post 7", unread: 2 }]));
    const none = await create("nobody");
    await vi.waitFor(async () => expect(await statuses(none)).toEqual(["skipped"]));
    expect((await notifications.deliveries(none)).deliveries[0]).toMatchObject({ reason: "no_address", reasonSource: "devices" });
    expect(await notifications.explain("nobody", "chat")).toMatchObject([{ channel: "push", outcome: "skip", reason: "no_address" }]);
    expect((await notifications.preferences.list("ann")).types.find(({ type }) => type === "chat")?.channels).toMatchObject([
      { channel: "push" },
    ]);
    expect((await notifications.preferences.list("nobody")).types.find(({ type }) => type === "chat")?.channels ?? []).toEqual([]);
    expect((await notifications.deliveries(id)).deliveries).toHaveLength(2);
    await expect(register("ann", "refused")).rejects.toMatchObject({
      code: "VALIDATION_ERROR",
      message: expect.stringContaining("is refused"),
    });
  });

  test("a digest is one delivery to all devices of its user: one that has it is enough", async () => {
    const { notifications, answers, tasks, register, tokens } = setUp();
    await register("ann", "phone", "laptop");
    answers.set("phone", () => failure({ transient: true }));
    await notifications.create({ to: "ann", type: "chat", title: "One" });
    await notifications.create({ to: "ann", type: "chat", title: "Two" });
    await vi.waitFor(() => expect(tokens()).toEqual(["laptop", "phone"]), { timeout: 20_000 });
    expect(tasks.map(({ digest }) => digest?.total)).toEqual([2, 2]);
    const { sends } = await notifications.list();
    await vi.waitFor(async () =>
      expect(new Set(await Promise.all(sends.map(async ({ id }) => (await notifications.get(id)).status)))).toEqual(new Set(["sent"])),
    );
  });
});
