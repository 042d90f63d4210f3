import {
  BelfryError,
  type Clock,
  type HubEvent,
  type HubOptions,
  memoryTransport,
  NotificationService,
  type ProcessingOutcome,
  type Processor,
  type SourceRecord,
} from "@belfry/core";
import { describe, expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const mail = { source: "mail", sender: "ann", content: "Hello" };

function processor(process: (task: { attempt: number }) => Promise<ProcessingOutcome>, options: Partial<Processor> = {}): Processor {
  return { name: "test", timeoutMs: 5_000, concurrency: 4, retryDelaysMs: [1, 1], process, ...options };
}

const echo = processor(async () => ({ status: "completed", text: "done" }));

/** A clock that tests move, and that lets what its timers have begun go on before it moves further. */
class TurnClock implements Clock {
  #nowMs = 1_800_000_000_000;
  #tasks: { readonly atMs: number; readonly task: () => void }[] = [];

  now(): number {
    return this.#nowMs;
  }

  after(delayMs: number, task: () => void): () => void {
    const entry = { atMs: this.#nowMs + delayMs, task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== entry);
    };
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#tasks.toSorted((left, right) => left.atMs - right.atMs)[0];
      if (next === undefined || next.atMs > untilMs) {
        break;
      }
      this.#tasks = this.#tasks.filter((one) => one !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.task();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#nowMs = untilMs;
  }
}

/** Runs what is due until every record of the event has settled. */
async function settled(service: NotificationService, eventId: string) {
  return vi.waitFor(async () => {
    await service.runDue();
    const records = await service.hub.events.records(eventId);
    expect(records.every(({ status }) => status === "COMPLETED" || status === "FAILED")).toBe(true);
    return records;
  });
}

onEveryStorage((database) => {
  function hubOf(hub: HubOptions = { processor: echo }) {
    return stopsAfterTest(new NotificationService({ storage: database.storage(), logger: silent, hub }));
  }

  describe("events and handlers", () => {
    test("an event has a record for each handler of its source that fits, with the prompt of its time", async () => {
      const service = hubOf();
      const { handlers, events } = service.hub;
      const all = await handlers.create({ source: "mail", prompt: "All of it" });
      await handlers.create({ source: "mail", prompt: "Urgent", filter: { priority: "high" } });
      const urgent = await handlers.create({
        source: "mail",
        prompt: "Not low",
        filter: { priority: { operator: "not_equals", value: "low" } },
      });
      await handlers.create({ source: "chat", prompt: "Elsewhere" });
      const event = await events.create(mail);
      await handlers.update(all.id, { prompt: "Changed" });
      await handlers.remove(urgent.id);
      const records = await settled(service, event.id);
      expect(records.map(({ prompt, status, result, attempt }) => [prompt, status, result, attempt])).toEqual([
        ["All of it", "COMPLETED", "done", 1],
        ["Not low", "COMPLETED", "done", 1],
      ]);
    });

    test("without a processor, records are FAILED and say what to do", async () => {
      const service = hubOf({});
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const { id } = await service.hub.events.create(mail);
      expect(await settled(service, id)).toMatchObject([
        { status: "FAILED", error: expect.stringMatching(/No processor is configured.*hub/) },
      ]);
    });

    test("transient failures are retried as often as the processor says, permanent ones are not", async () => {
      const answers: ProcessingOutcome[] = [
        { status: "failed", transient: true, error: "busy" },
        { status: "completed", text: "a\u0000b\ud800", usage: { inputTokens: 5, outputTokens: 7 } },
        { status: "failed", transient: false, error: "refused" },
        { status: "failed", transient: true, error: "busy 1" },
        { status: "failed", transient: true, error: "busy 2" },
        { status: "failed", transient: true, error: "busy 3" },
      ];
      const service = hubOf({ processor: processor(async () => answers.shift() as ProcessingOutcome) });
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const outcomes: unknown[] = [];
      for (let event = 0; event < 3; event += 1) {
        const { id } = await service.hub.events.create(mail);
        const [record] = await settled(service, id);
        outcomes.push([record?.status, record?.result, record?.error, record?.attempt, record?.inputTokens, record?.outputTokens]);
      }
      expect(outcomes).toEqual([
        ["COMPLETED", "a\uFFFDb\uFFFD", null, 2, 5, 7],
        ["FAILED", null, "refused", 1, null, null],
        ["FAILED", null, "busy 3", 3, null, null],
      ]);
    });

    test("a processor that throws, or takes too long, has failed for this time", async () => {
      const hanging = processor(({ attempt }) => (attempt === 1 ? new Promise(() => {}) : Promise.reject(new Error("broken"))), {
        timeoutMs: 20,
        retryDelaysMs: [1],
      });
      const service = hubOf({ processor: hanging });
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const { id } = await service.hub.events.create(mail);
      expect(await settled(service, id)).toMatchObject([
        { status: "FAILED", error: expect.stringContaining("unexpected Error"), attempt: 2 },
      ]);
    });

    test("an error of a processor goes to the log, not to clients; a value that is no outcome fails at once, and says why", async () => {
      const errors: unknown[] = [];
      const logger = { ...silent, error: (details: unknown) => void errors.push(details) };
      const wrong: unknown[] = [
        undefined,
        "done",
        { status: "done" },
        { status: "completed" },
        { status: "failed", error: new Error("x") },
      ];
      const answers = [...wrong];
      const odd = processor(
        async () => (answers.length > 0 ? (answers.shift() as ProcessingOutcome) : Promise.reject(new RangeError("secret"))),
        {
          retryDelaysMs: [],
        },
      );
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), logger, hub: { processor: odd } }));
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const told: (string | null | undefined)[] = [];
      for (let at = 0; at <= wrong.length; at += 1) {
        const [record] = await settled(service, (await service.hub.events.create(mail)).id);
        told.push(record?.error);
      }
      expect(told.slice(0, -1).every((error) => error?.includes("answered no outcome"))).toBe(true);
      expect(told.at(-1)).toMatch(/unexpected RangeError/);
      expect(errors).toMatchObject([{ error: { message: "secret" }, record: expect.any(String) }]);
    });

    test("tokens that are no whole numbers are not kept", async () => {
      const odd = processor(async () => ({ status: "completed", text: "ok", usage: { inputTokens: 1.5, outputTokens: -1 } }));
      const service = hubOf({ processor: odd });
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const [record] = await settled(service, (await service.hub.events.create(mail)).id);
      expect([record?.status, record?.inputTokens, record?.outputTokens]).toEqual(["COMPLETED", null, null]);
    });

    test("a stop lets a handler finish, what it creates included, and hands what it aborts on to the next process", async () => {
      const storage = database.storage();
      const begun: (() => void)[] = [];
      const waiting = processor(() => new Promise((resolve) => void begun.push(() => resolve({ status: "completed", text: "late" }))), {
        retryDelaysMs: [],
      });
      const create: HubOptions["onResult"] = async (result) => void (await result.create({ to: "ann", title: result.text }));
      const first = stopsAfterTest(
        new NotificationService({ storage, logger: silent, hub: { processor: waiting, onResult: create, drainMs: 200 } }),
      );
      await first.hub.handlers.create({ source: "mail", prompt: "x" });
      const finished = await first.hub.events.create(mail);
      const aborted = await first.hub.events.create(mail);
      await vi.waitFor(() => expect(begun).toHaveLength(2));
      const stopped = first.stop();
      await expect(first.hub.events.create(mail)).rejects.toMatchObject({ code: "SERVICE_STOPPED" });
      begun[0]?.();
      await stopped;
      const next = stopsAfterTest(new NotificationService({ storage, logger: silent, hub: { processor: echo, worker: false } }));
      expect(await next.hub.events.records(finished.id)).toMatchObject([{ status: "COMPLETED", result: "late" }]);
      expect((await next.inbox("ann").list()).items.map(({ title }) => title)).toEqual(["late"]);
      expect(await next.hub.events.records(aborted.id)).toMatchObject([{ status: "PENDING", error: null }]);
      expect(
        await settled(stopsAfterTest(new NotificationService({ storage, logger: silent, hub: { processor: echo } })), aborted.id),
      ).toMatchObject([{ status: "COMPLETED", result: "done" }]);
    });

    test("a source has 100 handlers at the most, new or moved there, and a filter 16 KiB", async () => {
      const { handlers } = hubOf().hub;
      for (let made = 0; made < 100; made += 1) {
        await handlers.create({ source: "mail", prompt: `${made}` });
      }
      const issue = { code: "VALIDATION_ERROR", issues: [{ path: ["source"], type: "too_many" }] };
      await expect(handlers.create({ source: "mail", prompt: "one more" })).rejects.toMatchObject(issue);
      const elsewhere = await handlers.create({ source: "chat", prompt: "x" });
      await expect(handlers.update(elsewhere.id, { source: "mail" })).rejects.toMatchObject(issue);
      expect(await handlers.update(elsewhere.id, { source: "chat", prompt: "y" })).toMatchObject({ prompt: "y" });
      const long = { source: "chat", prompt: "x", filter: { text: "x".repeat(17_000) } };
      await expect(handlers.create(long)).rejects.toMatchObject({ issues: [{ path: ["filter"], type: "too_long" }] });
    });

    test("no more attempts run at once than the processor allows", async () => {
      let running = 0;
      let most = 0;
      const counting = processor(
        async () => {
          running += 1;
          most = Math.max(most, running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          return { status: "completed", text: "" };
        },
        { concurrency: 3 },
      );
      const service = hubOf({ processor: counting });
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const events = await Promise.all(Array.from({ length: 20 }, () => service.hub.events.create(mail)));
      for (const { id } of events) {
        await settled(service, id);
      }
      expect(most).toBe(3);
    });

    test("wrong input is refused with every issue, and ids that are unknown or of another tenant with NOT_FOUND", async () => {
      const service = hubOf();
      const { events, handlers, identities } = service.hub;
      const wrong = { source: "", sender: "a\u0000", content: 5 as unknown as string, metadata: { x: Number.NaN } };
      await expect(events.create(wrong)).rejects.toMatchObject({
        code: "VALIDATION_ERROR",
        issues: [{ path: ["source"] }, { path: ["sender"] }, { path: ["content"] }, { path: ["metadata", "x"] }],
      });
      await expect(handlers.create({ source: "a", prompt: "", filter: { x: { operator: "like", value: 1 } } })).rejects.toMatchObject({
        issues: [{ path: ["prompt"] }, { path: ["filter", "x", "operator"] }],
      });
      await expect(events.list({ limit: 101, offset: -1 })).rejects.toMatchObject({ issues: [{ path: ["limit"] }, { path: ["offset"] }] });
      const event = await events.create(mail);
      const handler = await handlers.create({ source: "mail", prompt: "x" });
      const { identity } = await identities.upsert({ source: "mail", sourceId: "ann", name: "Ann" });
      const other = service.tenant("other").hub;
      for (const lookup of [
        () => other.events.get(event.id),
        () => other.events.records(event.id),
        () => other.events.acknowledge(event.id, "me"),
        () => other.handlers.get(handler.id),
        () => other.handlers.update(handler.id, { prompt: "mine" }),
        () => other.handlers.remove(handler.id),
        () => other.identities.get(identity.id),
        () => other.identities.getBySource("mail", "ann"),
        () => events.get("1"),
        () => events.acknowledge("0190c0de-0000-7000-8000-000000000000", "me"),
      ]) {
        await expect(lookup()).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
    });
  });

  describe("onResult", () => {
    test("makes an inbox item of a result, once, though the handler runs again after its process was lost", async () => {
      const storage = database.storage();
      let runs = 0;
      const options = {
        processor: processor(async () => {
          runs += 1;
          return { status: "completed", text: `run ${runs}` };
        }),
        onResult: async ({ event, text, create }: Parameters<NonNullable<HubOptions["onResult"]>>[0]) => {
          await create({ to: "ann", title: text, data: { event: event.id } });
          await create({ to: "bob", title: "second" });
          if (runs === 1) {
            throw new Error("lost before the record was COMPLETED");
          }
        },
      };
      const service = stopsAfterTest(new NotificationService({ storage, logger: silent, hub: options }));
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const { id } = await service.hub.events.create(mail);
      expect(await settled(service, id)).toMatchObject([{ status: "COMPLETED", result: "run 2", attempt: 2 }]);
      const inbox = await service.inbox("ann").list();
      expect(inbox.items.map(({ title, data }) => [title, data])).toEqual([["run 1", { event: id }]]);
      expect((await service.inbox("bob").counts()).total).toBe(1);
    });
  });

  describe("subscribe", () => {
    function follow(service: NotificationService, source: string) {
      const told: string[] = [];
      const listener = {
        onEvent: (event: HubEvent) => told.push(`event ${event.content}`),
        onSettled: (record: SourceRecord) => told.push(`${record.status} ${record.prompt}`),
      };
      const subscription = service.hub.events.subscribe(source, listener);
      return { told, ready: subscription.ready, close: () => subscription.close() };
    }

    test("subscribers of a source get each event of their tenant, and then each of its results, once", async () => {
      const service = hubOf();
      await service.hub.handlers.create({ source: "mail", prompt: "one" });
      await service.hub.handlers.create({ source: "mail", prompt: "two" });
      await service.hub.events.create({ ...mail, content: "before" });
      await service.runDue();
      const mine = follow(service, "mail");
      const elsewhere = follow(service, "chat");
      await mine.ready;
      await service.tenant("other").hub.events.create({ ...mail, content: "not mine" });
      const { id } = await service.hub.events.create({ ...mail, content: "live" });
      await settled(service, id);
      await vi.waitFor(() => expect(mine.told).toHaveLength(3));
      expect(mine.told[0]).toBe("event live");
      expect(mine.told.slice(1).sort()).toEqual(["COMPLETED one", "COMPLETED two"]);
      expect(elsewhere.told).toEqual([]);
      mine.close();
      await service.hub.events.create({ ...mail, content: "after" });
      expect(mine.told).toHaveLength(3);
    });

    test("a listener that throws stops nothing: the create resolves, other listeners run, handlers run", async () => {
      const errors: unknown[] = [];
      const logger = { ...silent, error: (details: unknown) => void errors.push(details) };
      const service = stopsAfterTest(new NotificationService({ storage: database.storage(), logger, hub: { processor: echo } }));
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const broken = () => {
        throw new Error("broken listener");
      };
      await service.hub.events.subscribe("mail", { onEvent: broken, onSettled: broken }).ready;
      const { told, ready } = follow(service, "mail");
      await ready;
      const { id } = await service.hub.events.create(mail);
      expect(await settled(service, id)).toMatchObject([{ status: "COMPLETED" }]);
      await vi.waitFor(() => {
        expect(told).toEqual(["event Hello", "COMPLETED x"]);
        expect(errors).toHaveLength(2);
      });
    });

    test("a storage that is out of reach is asked once a second, not more and more often, and never after the end", async () => {
      const storage = database.storage();
      const clock = new TurnClock();
      const transport = { ...memoryTransport(), pollIntervalMs: 1_000 };
      const service = stopsAfterTest(new NotificationService({ storage, clock, transport, logger: silent, hub: { worker: false } }));
      let looks = 0;
      vi.spyOn(storage.hub, "listEventsSince").mockImplementation(async () => {
        looks += 1;
        throw new BelfryError("STORAGE_UNAVAILABLE", "It is away.");
      });
      const { ready, close } = follow(service, "mail");
      await ready;
      await clock.pass(60_000);
      expect(looks).toBeGreaterThan(30);
      expect(looks).toBeLessThan(90);
      close();
      const before = looks;
      await clock.pass(60_000);
      expect(looks).toBe(before);
    });

    test("missed signals are made up for from the database: events first, whole milliseconds of them, each once", async () => {
      const storage = database.storage();
      const clock = new TurnClock();
      const silentTransport = { pollIntervalMs: 1_000, start: async () => {}, publish() {}, stop: async () => {} };
      const service = stopsAfterTest(
        new NotificationService({ storage, clock, transport: silentTransport, logger: silent, hub: { processor: echo } }),
      );
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const { told, ready } = follow(service, "mail");
      await ready;
      await clock.pass(10);
      await Promise.all(Array.from({ length: 250 }, (_, at) => service.hub.events.create({ ...mail, content: `${at}` })));
      await service.runDue();
      const hearMore = async () => {
        await clock.pass(1_000);
        expect(told.length).toBeGreaterThanOrEqual(500);
      };
      await vi.waitFor(hearMore, { timeout: 30_000, interval: 5 });
      const events = told.filter((line) => line.startsWith("event"));
      expect([events.length, new Set(events).size, told.length]).toEqual([250, 250, 500]);
    });

    test("fires events of the service", async () => {
      const service = hubOf({ processor: processor(async () => ({ status: "failed", transient: false, error: "no" })) });
      const fired: unknown[] = [];
      service.on("event.created", ({ event, handlers }) => fired.push([event.content, handlers]));
      service.on("record.failed", ({ record }) => fired.push([record.error, record.source]));
      await service.hub.handlers.create({ source: "mail", prompt: "x" });
      const { id } = await service.hub.events.create(mail);
      await settled(service, id);
      await vi.waitFor(() =>
        expect(fired).toEqual([
          ["Hello", 1],
          ["no", "mail"],
        ]),
      );
    });
  });
});
