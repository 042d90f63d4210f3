import type { Handler, HubEvent } from "@belfry/core";
import type { PlanProcessing } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { newRecord, planEach, useHub } from "./hub-fixture.ts";

/** The promises of deciding on the records of an event. */
export function planningTests(harness: StorageHarness): void {
  describe("planning", () => {
    const fixture = useHub(harness);

    /** Writes events and tells what was shown for each of them. */
    async function shown(events: readonly HubEvent[]): Promise<readonly (readonly Handler[])[]> {
      const seen = new Map<string, readonly Handler[]>();
      await fixture.hub.createEvents(events, (event, handlers) => {
        expect(event).toEqual(events.find(({ id }) => id === event.id));
        seen.set(event.id, handlers);
        return [];
      });
      return events.map(({ id }) => [...(seen.get(id) ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1)));
    }

    test("each event is shown with the handlers of its source and tenant", async () => {
      const mail = [await fixture.createHandler(), await fixture.createHandler({ prompt: "Another", filter: {} })];
      const chat = await fixture.createHandler({ source: "chat" });
      const tenant = `${fixture.tenant} (other)`;
      const theirs = await fixture.createHandler({ tenant });
      const events = [
        fixture.newEvent(),
        fixture.newEvent({ source: "chat" }),
        fixture.newEvent({ tenant }),
        fixture.newEvent({ source: "none" }),
        fixture.newEvent(),
      ];
      expect(await shown(events)).toEqual([mail, [chat], [theirs], [], mail]);
    });

    test("handlers are as they are when the event is written", async () => {
      const [kept, moved, deleted] = [await fixture.createHandler(), await fixture.createHandler(), await fixture.createHandler()];
      const changed = await fixture.hub.updateHandler(fixture.tenant, kept.id, { prompt: "Changed", filter: { b: [1] }, at: at(9) });
      await fixture.hub.updateHandler(fixture.tenant, moved.id, { source: "chat", at: at(9) });
      await fixture.hub.deleteHandler(fixture.tenant, deleted.id);
      expect(await shown([fixture.newEvent()])).toEqual([[changed]]);
      expect(await shown([fixture.newEvent({ source: "chat" })])).toMatchObject([[{ id: moved.id }]]);
    });

    test("a filter is shown to the letter", async () => {
      const text = '{"zebra":{"operator":"in","value":[1,"2",null]},"a.b":{"value":1e+21,"operator":"gt"},"__proto__":{"a":1}}';
      await fixture.createHandler({ filter: JSON.parse(text) as Handler["filter"] });
      const [[handler] = []] = await shown([fixture.newEvent()]);
      expect(JSON.stringify(handler?.filter)).toBe(text);
    });

    test("records are kept in the order of the plan, with the prompt of their time", async () => {
      const handlers = [await fixture.createHandler({ prompt: "One 😀" }), await fixture.createHandler({ prompt: "Two" })];
      const backwards: PlanProcessing = (event, found) =>
        planEach(
          event,
          [...found].sort((a, b) => (a.id < b.id ? 1 : -1)),
        );
      const event = await fixture.createEvent({}, backwards);
      await fixture.hub.updateHandler(fixture.tenant, handlers[0]?.id ?? "", { prompt: "Changed", at: at(9) });
      await fixture.hub.deleteHandler(fixture.tenant, handlers[1]?.id ?? "");
      const records = await fixture.hub.recordsOf(fixture.tenant, event.id);
      expect(records.map(({ handlerId, prompt }) => [handlerId, prompt])).toEqual([
        [handlers[1]?.id, "Two"],
        [handlers[0]?.id, "One 😀"],
      ]);
    });

    test("a plan that throws leaves nothing of any event of the call", async () => {
      const events = [fixture.newEvent(), fixture.newEvent(), fixture.newEvent()];
      const create = fixture.hub.createEvents(events, ({ id }) => {
        if (id === events[2]?.id) {
          throw new Error("no plan");
        }
        return [newRecord("A prompt")];
      });
      await expect(create).rejects.toThrow();
      const { tenant, hub } = fixture;
      expect(
        await hub.findEvents(
          tenant,
          events.map(({ id }) => id),
        ),
      ).toEqual([]);
      expect(await hub.leases.nextDueInMs(at(0))).toBeNull();
      expect((await hub.createEvents(events, planEach)).length).toBe(3);
    });

    test("a thousand records of one event", async () => {
      const plan = Array.from({ length: 1_000 }, (_, index) => newRecord(`prompt ${index}`));
      const event = await fixture.createEvent({}, () => plan);
      const records = await fixture.hub.recordsOf(fixture.tenant, event.id);
      expect(records.map(({ prompt }) => prompt)).toEqual(plan.map(({ prompt }) => prompt));
    });
  });
}
