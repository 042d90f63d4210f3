import { NotificationService, type Processor, type ServiceRole } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { recorder } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { usePostgresDatabase } from "../postgres-database.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

describe("processes of one installation, each with a role of its own", () => {
  const database = usePostgresDatabase();

  /** A process with a channel and a processor that tell what they did. */
  function processOf(role: ServiceRole) {
    const mails = recorder({ name: "email" });
    const prompts: string[] = [];
    const processor: Processor = {
      name: "echo",
      timeoutMs: 1_000,
      concurrency: 1,
      retryDelaysMs: [],
      async process({ prompt }) {
        prompts.push(prompt);
        return { status: "completed", text: "done" };
      },
    };
    const options = { storage: database.storage(), channels: [mails], hub: { processor }, logger: silent };
    return { notifications: stopsAfterTest(new NotificationService({ ...options, role })), mails, prompts };
  }

  /** Has a process create one of each kind of work: a delivery, an event, and an audience that is too large to be placed at once. */
  async function createWork(notifications: NotificationService): Promise<void> {
    await notifications.create({ to: { email: "ann@example.com" }, title: "Hello" });
    await notifications.hub.handlers.create({ source: "mail", prompt: "Sum it up" });
    await notifications.hub.events.create({ source: "mail", sender: "bob", content: "Hi" });
    await notifications.create({ to: Array.from({ length: 1_001 }, (_, at) => `user${at}`), title: "To all" });
  }
  const placed = async (notifications: NotificationService) => (await notifications.inbox("user1000").counts()).total;

  test("what a web process creates is done by those whose work it is, each kind by one of them", async () => {
    const [web, worker, hub] = [processOf("web"), processOf("worker"), processOf("hub")];
    await Promise.all([web, worker, hub].map(({ notifications }) => notifications.start()));
    await createWork(web.notifications);
    await expect.poll(() => [worker.mails.tasks.length, hub.prompts], { timeout: 20_000 }).toEqual([1, ["Sum it up"]]);
    await expect.poll(() => placed(web.notifications), { timeout: 20_000 }).toBe(1);
    expect([web, hub].map(({ mails }) => mails.tasks.length)).toEqual([0, 0]);
    expect([web, worker].map(({ prompts }) => prompts.length)).toEqual([0, 0]);
    const workers = [web, worker, hub].map(({ notifications }) => notifications.workers().map(({ name }) => name));
    expect(workers).toEqual([[], ["digests", "deliveries"], ["processing records"]]);
  });

  test("runDue does the work of the role, and leaves the rest", async () => {
    const [web, worker, hub, all] = [processOf("web"), processOf("worker"), processOf("hub"), processOf("all")];
    const command = processOf("command");
    await createWork(web.notifications);
    await web.notifications.runDue();
    expect([web.mails.tasks.length, web.prompts.length, await placed(web.notifications)]).toEqual([0, 0, 0]);
    await command.notifications.runDue();
    expect([command.mails.tasks.length, command.prompts.length, await placed(web.notifications)]).toEqual([0, 0, 0]);
    await hub.notifications.runDue();
    expect([hub.mails.tasks.length, hub.prompts.length, await placed(web.notifications)]).toEqual([0, 1, 0]);
    await worker.notifications.runDue();
    expect([worker.mails.tasks.length, worker.prompts.length, await placed(web.notifications)]).toEqual([1, 0, 1]);
    await createWork(all.notifications);
    await all.notifications.runDue();
    // The others hear of it and may do a part: nothing is left, and nothing is done twice.
    const done = () => [worker.mails.tasks.length + all.mails.tasks.length, hub.prompts.length + all.prompts.length];
    await expect.poll(done, { timeout: 20_000 }).toEqual([2, 3]);
    expect([web.mails.tasks.length, web.prompts.length]).toEqual([0, 0]);
  });

  test.each(["web", "hub"] as const)("once the workers are gone, a %s process tells, and keeps how much waits", async (role) => {
    const mails = recorder({ name: "email" });
    const options = { storage: database.storage(), channels: [mails], logger: silent, role };
    const left = stopsAfterTest(new NotificationService({ ...options, alarms: { to: { email: "ops@example.com" }, oldestDueMs: 1 } }));
    await left.create({ to: { email: "ann@example.com" }, title: "Hello" });
    await left.start();
    await expect.poll(() => mails.tasks.map(({ data }) => data.alarm), { timeout: 20_000 }).toContain("oldest_due");
    const seen = async () =>
      (await left.operator.health("1h")).flatMap(({ backlog }) => backlog.flatMap(({ waiting }) => waiting?.due ?? []));
    await expect.poll(seen, { timeout: 20_000 }).toEqual([1]);
  });

  test("a client that is connected to a web process sees what another process creates, a broadcast included", async () => {
    const [web, worker] = [processOf("web"), processOf("worker")];
    await Promise.all([web, worker].map(({ notifications }) => notifications.start()));
    const titles: string[] = [];
    const subscription = web.notifications.inbox("ann").subscribe({
      onEvent: (event) => void (event.change === "created" && titles.push(event.item?.title ?? "")),
      onState: () => {},
    });
    await subscription.ready;
    await worker.notifications.create({ to: "ann", title: "For her" });
    await worker.notifications.create({ to: "everyone", title: "For all" });
    await expect.poll(() => titles.toSorted(), { timeout: 20_000 }).toEqual(["For all", "For her"]);
    subscription.close();
  });
});

test("a command beside the one process of SQLite leaves large audiences to it, and does retry runs", async () => {
  const command = stopsAfterTest(new NotificationService({ storage: sqliteStorage(":memory:"), role: "command", logger: silent }));
  await command.create({ to: Array.from({ length: 1_001 }, (_, at) => `user${at}`), title: "To all" });
  await command.runDue();
  expect((await command.inbox("user1000").counts()).total).toBe(0);
  const { id } = await command.operator.retries.start();
  await command.runDue();
  expect(await command.operator.retries.get(id)).toMatchObject({ state: "finished" });
});

describe("a role that nobody can have", () => {
  const storage = sqliteStorage(":memory:");

  test.each(["web", "worker", "hub"] as const)("%s, on a storage that one process has to itself", (role) => {
    expect(() => new NotificationService({ storage, role })).toThrow(
      expect.objectContaining({
        code: "CONFIGURATION",
        message: `NotificationService has the role "${role}", but one process does all the work on a sqlite storage; leave the role out, or use PostgreSQL.`,
      }),
    );
  });

  test("another word", () => {
    expect(() => new NotificationService({ storage, role: "cron" as never })).toThrow(
      'takes as role all, web, worker, hub, command; got "cron"',
    );
  });
});
