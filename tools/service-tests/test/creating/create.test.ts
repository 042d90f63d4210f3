import { type Channel, type DeliveryTask, defineTypes, NotificationService } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { refusal } from "../refusal.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

/** A channel for addresses that begin with its name, which keeps its tasks. */
function channel(name: string): Channel & { readonly tasks: DeliveryTask[] } {
  const tasks: DeliveryTask[] = [];
  return {
    name,
    tasks,
    retryDelaysMs: [],
    timeoutMs: 5_000,
    invalidRecipient: (recipient) => (recipient.startsWith(name) ? null : `is no ${name} address`),
    async deliver(task) {
      tasks.push(task);
      return { status: "delivered", provider: name };
    },
  };
}

onEveryStorage((database) => {
  describe("create", () => {
    function setUp() {
      const [mail, hook] = [channel("mail"), channel("hook")];
      const service = stopsAfterTest(
        new NotificationService({
          storage: database.storage(),
          channels: [mail, hook],
          directory: (ids) => new Map(ids.map((id) => [id, { mail: `mail of ${id}` }])),
        }),
      );
      return { mail, hook, service };
    }

    test("users get it over their channels, and addresses over their own, each once", async () => {
      const { mail, hook, service } = setUp();
      const { notification, items } = await service.create({
        to: ["bob", { hook: "hook 1" }, "ann", { mail: "mail of eve" }, "bob", { hook: "hook 1" }, "carl"],
        except: "carl",
        channels: ["inbox", "mail"],
        title: "Mixed",
      });
      expect(items.map(({ userId }) => userId)).toEqual(["ann", "bob"]);
      await service.runDue();
      expect(mail.tasks.map(({ address }) => address).toSorted()).toEqual(["mail of ann", "mail of bob", "mail of eve"]);
      expect(hook.tasks.map(({ address }) => address)).toEqual(["hook 1"]);
      const { deliveries } = await service.deliveries(notification.id);
      expect(deliveries.map(({ channel, recipient }) => `${channel} ${recipient}`)).toEqual([
        "inbox bob",
        "inbox ann",
        "mail bob",
        "mail ann",
        "hook hook 1",
        "mail mail of eve",
      ]);
      expect(await service.get(notification.id)).toMatchObject({
        channels: ["inbox", "mail", "hook"],
        recipients: ["bob", "hook 1", "ann", "mail of eve"],
      });
      expect(await service.inbox("carl").counts()).toMatchObject({ total: 0 });
    });

    test("links, actor and source are in lists, live events, tasks and what is tracked", async () => {
      const { mail, service } = setUp();
      const links = {
        url: "/posts/7",
        actions: [
          { label: "Reply", url: "/posts/7#reply" },
          { label: "Mail", url: "mailto:eve@x.cc" },
        ],
      };
      const said = { ...links, actor: "eve", source: "forum" };
      const told: unknown[] = [];
      const subscription = service.inbox("ann").subscribe({ onEvent: ({ item }) => void told.push(item), onState: () => {} });
      await subscription.ready;
      const { notification } = await service.create({ to: "ann", title: "Alone", ...said });
      expect(notification).toMatchObject({ kind: "message", ...said });
      const sent = await service.create({ to: "ann", channels: ["inbox", "mail"], title: "Both", ...said });
      await service.runDue();
      const { items } = await service.inbox("ann").list();
      expect(items).toMatchObject([
        { title: "Both", ...said },
        { title: "Alone", ...said },
      ]);
      await expect
        .poll(() => told)
        .toMatchObject([
          { title: "Alone", ...said },
          { title: "Both", ...said },
        ]);
      subscription.close();
      expect(mail.tasks).toMatchObject([{ title: "Both", type: "notification", ...links }]);
      expect(await service.get(sent.notification.id)).toMatchObject(said);
      expect(await service.timeline(notification.id)).toMatchObject({ ...said, send: null });
      expect((await service.operator.auditLog()).map(({ actor }) => actor)).toEqual(["eve"]);
    });

    test.each([
      ["url: must be a path, or begin with", { url: "javascript:alert(1)" }],
      [
        "actions.1.url: must be a path, or begin with",
        {
          actions: [
            { label: "a", url: "/" },
            { label: "b", url: "tel:1" },
          ],
        },
      ],
      ["actions.0.label: must not be empty", { actions: [{ label: "", url: "/" }] }],
      ['actions.0: an action takes label, url; got "href"', { actions: [{ label: "a", url: "/", href: "/" }] }],
      ["actions: must be a list of at most 5 actions", { actions: Array.from({ length: 6 }, () => ({ label: "a", url: "/" })) }],
      ["actor: must not be empty", { actor: "" }],
      ["channels: must be a list of at least one channel's name", { channels: [] }],
      ['channels: names "email" twice', { channels: ["email", "email"] }],
      ['channels: names "inbox" twice', { channels: ["inbox", "inbox"] }],
      ["except: expected a string", { except: 7 }],
      ["create takes to, except, type, ", { sender: "eve" }],
    ])("it refuses with %j, with deliveries and without", async (message, wrong) => {
      const { service } = setUp();
      for (const to of ["ann", { mail: "mail 1" }]) {
        const error = await refusal(service.create({ to, title: "x", ...(wrong as object) }));
        expect([error.code, error.message]).toEqual(["VALIDATION_ERROR", expect.stringContaining(message)]);
      }
      expect([await service.inbox("ann").counts(), await service.list()]).toMatchObject([{ total: 0 }, { total: 0 }]);
    });

    test("a type's channels count, unless the call names its own", async () => {
      const mail = channel("mail");
      const types = defineTypes({ invoice: { channels: ["inbox", "mail"] }, hint: {} });
      const directory = () => new Map([["ann", { mail: "mail of ann" }]]);
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), channels: [mail], types, directory }));
      const kinds: string[] = [];
      for (const input of [{ type: "invoice" }, { type: "invoice", channels: ["inbox"] }, { type: "hint" }] as const) {
        kinds.push((await service.create({ to: "ann", title: input.type, ...input })).notification.kind);
      }
      await service.runDue();
      expect(kinds).toEqual(["send", "message", "message"]);
      expect(mail.tasks.map(({ type }) => type)).toEqual(["invoice"]);
    });

    test("what reaches nobody, since all are excepted, is written, and delivered to nobody", async () => {
      const { mail, service } = setUp();
      const recipients: (number | null)[] = [];
      service.on("notification.created", (event) => void recipients.push(event.recipients));
      const input = { to: ["ann", "bob"], except: ["bob", "ann"], title: "Nobody" };
      const { notification } = await service.create(input);
      await service.create({ ...input, channels: ["mail"] });
      const batch = await service.prepare(input);
      await database.transaction((tx) => batch.write(tx));
      await service.runDue();
      expect(await service.timeline(notification.id)).toMatchObject({ itemCount: 0, send: null });
      expect([mail.tasks, (await service.list()).total]).toEqual([[], 0]);
      await expect.poll(() => recipients).toEqual([0, 0, 0]);
    });

    test("a room without deliveries is in the data, and in the list by room", async () => {
      const { service } = setUp();
      const { notification } = await service.create({ to: "ann", roomId: "kitchen", data: { a: 1 } });
      expect(notification).toMatchObject({ kind: "message", data: { a: 1, room_id: "kitchen" } });
      expect((await service.inbox("ann").list({ roomId: "kitchen" })).matching).toBe(1);
    });

    test("a repetition under its key is known, in whatever order it names who gets it; another call is not", async () => {
      const { mail, service } = setUp();
      const input = { title: "Once", idempotencyKey: "k", actor: "eve" };
      const { notification } = await service.create({ ...input, to: ["ann", { mail: "mail 1" }, "bob"] });
      const again = await service.create({ ...input, to: ["bob", "ann", "ann", { mail: "mail 1" }] });
      expect([again.notification, again.items]).toMatchObject([{ id: notification.id, title: "Once", actor: "eve" }, []]);
      const other = await refusal(service.create({ ...input, to: ["ann", { mail: "mail 2" }, "bob"] }));
      expect(other.code).toBe("IDEMPOTENCY_KEY_REUSED");
      await service.runDue();
      expect([mail.tasks.length, (await service.list()).total]).toEqual([1, 1]);
    });

    test("data keeps a member that only a contract gives a meaning", async () => {
      const { mail, service } = setUp();
      await service.create({ to: ["ann", { mail: "mail 1" }], title: "x", data: { notification_type: "own" } });
      await service.runDue();
      expect((await service.inbox("ann").list()).items).toMatchObject([{ data: { notification_type: "own" } }]);
      expect(mail.tasks).toMatchObject([{ data: { notification_type: "own" } }]);
    });
  });
});
