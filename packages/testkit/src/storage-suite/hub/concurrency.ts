import type { ClaimedRecord, HubStorage } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { ended, endLost, later, planEach, planSome, useHub } from "./hub-fixture.ts";

/** Calls at once, also through two storages over one database, give the same result as some order of them. */
export function hubConcurrencyTests(harness: StorageHarness): void {
  describe("at once", () => {
    const fixture = useHub(harness);

    /** Runs `work` with the hub twice: of another storage over the same data where there can be one. */
    async function withTwo(work: (hubs: readonly [HubStorage, HubStorage]) => Promise<void>): Promise<void> {
      const other = await fixture.base.subject.another?.();
      try {
        await work([fixture.hub, other?.hub ?? fixture.hub]);
      } finally {
        await other?.close();
      }
    }

    test("claims share no record, and lose none", async () => {
      await withTwo(async (hubs) => {
        await fixture.createRecords(50);
        await fixture.createRecords(50);
        const claim = async (number: number) => {
          const hub = hubs[number % 2] as HubStorage;
          const request = { owner: `w${number}`, at: later(0), leaseMs: 60_000, limit: 7, exceptTenants: [] };
          const claimed: ClaimedRecord[] = [];
          for (let some = await hub.leases.claim(request); some.length > 0; some = await hub.leases.claim(request)) {
            claimed.push(...some);
          }
          return claimed;
        };
        const claimed = (await Promise.all(range(1, 8).map(claim))).flat();
        claimed.push(...(await fixture.claim(later(0))));
        const ids = claimed.map(({ record }) => record.id);
        expect([ids.length, new Set(ids).size]).toEqual([100, 100]);
        expect(claimed.every(({ record, fence }) => record.attempt === 1 && fence === 1)).toBe(true);
      });
    });

    test("claims, ends and losses at once settle each record once", async () => {
      await withTwo(async (hubs) => {
        const records = await fixture.createRecords(60);
        const settled: string[] = [];
        const work = async (number: number) => {
          const hub = hubs[number % 2] as HubStorage;
          const owner = `w${number}`;
          // Every other worker loses its leases: its claims are long over when it ends them.
          for (let round = 0; round < 10; round += 1) {
            const second = round * 1_000;
            const claimed = await hub.leases.claim({ owner, at: later(second), leaseMs: 60_000, limit: 5, exceptTenants: [] });
            if (number % 2 === 0) {
              const query = { at: later(second + 500), limit: 50, furthestMs: 60_000 };
              await endLost(hub, query, { maxAttempts: 99, error: "lost" });
            }
            const ends = claimed.map((one) => ended(one, { result: owner }));
            settled.push(...(await hub.endRecords(owner, ends, later(second + 500))).map(({ id }) => id));
          }
        };
        await Promise.all(range(1, 6).map(work));
        await fixture.endLost(later(100_000), { maxAttempts: 99 });
        const rest = await fixture.claim(later(100_000));
        const ends = rest.map((one) => ended(one));
        settled.push(...(await fixture.hub.endRecords("worker", ends, later(100_001))).map(({ id }) => id));
        expect([...settled].sort()).toEqual(records.map(({ id }) => id).sort());
        const ids = records.map(({ id }) => id);
        const now = await fixture.hub.findRecords(fixture.tenant, ids);
        expect(now.map(({ status }) => status)).toEqual(ids.map(() => "COMPLETED"));
      });
    });

    test("one event written by several is written once, and all hear the same", async () => {
      await withTwo(async (hubs) => {
        await fixture.createHandler();
        const event = fixture.newEvent();
        const others = range(1, 9).map(() => fixture.newEvent());
        const answers = await Promise.all(
          range(1, 9).map((number) => {
            const hub = hubs[number % 2] as HubStorage;
            const [before, after] = [others.slice(0, number), others.slice(number)];
            return hub.createEvents([...before, event, ...after], planEach).then((records) => records[number]);
          }),
        );
        expect(answers[0]).toHaveLength(1);
        expect(answers).toEqual(answers.map(() => answers[0]));
        expect((await fixture.hub.listEvents(fixture.tenant, { limit: 100, offset: 0 })).total).toBe(10);
        expect(await fixture.claim(later(0))).toHaveLength(10);
      });
    });

    test("events written beside changes of their handler have its prompt of before or after", async () => {
      const handler = await fixture.createHandler({ prompt: "prompt 0" });
      const changes = range(1, 10).map((number) =>
        fixture.hub.updateHandler(fixture.tenant, handler.id, { prompt: `prompt ${number}`, at: at(number) }),
      );
      const writes = range(1, 20).map(() => fixture.hub.createEvents([fixture.newEvent()], planEach));
      const deletion = fixture.hub.deleteHandler(fixture.tenant, handler.id);
      const records = (await Promise.all(writes)).flat(2);
      await Promise.all([...changes, deletion]);
      expect(records.every(({ prompt, handlerId }) => /^prompt \d+$/.test(prompt) && handlerId === handler.id)).toBe(true);
      expect((await fixture.hub.createEvents([fixture.newEvent()], planEach)).flat()).toEqual([]);
    });

    test("if several write one identity, one is new, and all get the same id", async () => {
      await withTwo(async (hubs) => {
        const written = await Promise.all(
          range(1, 20).map((number) =>
            (hubs[number % 2] as HubStorage).upsertIdentity({ ...fixture.newIdentity({ name: `name ${number}` }), metadata: null }),
          ),
        );
        expect(written.filter(({ isNew }) => isNew)).toHaveLength(1);
        expect(new Set(written.map(({ identity }) => identity.id)).size).toBe(1);
        const { items, total } = await fixture.hub.listIdentities(fixture.tenant, { limit: 9, offset: 0 });
        expect([items[0]?.id, total]).toEqual([written[0]?.identity.id, 1]);
        expect(written.map(({ identity }) => identity.name).sort()).toEqual(
          range(1, 20)
            .map((number) => `name ${number}`)
            .sort(),
        );
      });
    });

    test("if several delete one handler, one succeeds", async () => {
      const handler = await fixture.createHandler();
      const deletions = await Promise.all(range(1, 9).map(() => fixture.hub.deleteHandler(fixture.tenant, handler.id)));
      expect(deletions.filter((isDeleted) => isDeleted)).toHaveLength(1);
    });

    test("everything is there after a restart, leases too", async (context) => {
      const [handler, identity] = [await fixture.createHandler(), await fixture.createIdentity()];
      const event = await fixture.createEvent({}, (made, handlers) => [...planEach(made, handlers), ...planSome(2)(made, handlers)]);
      await fixture.claim(later(0), { limit: 1 });
      const before = await fixture.hub.recordsOf(fixture.tenant, event.id);
      if (!(await fixture.base.reopen())) {
        context.skip("the storage keeps nothing beyond its process");
      }
      const { hub, tenant } = fixture;
      expect(await hub.recordsOf(tenant, event.id)).toEqual(before);
      expect(await hub.findHandler(tenant, handler.id)).toEqual(handler);
      expect(await hub.findEvents(tenant, [event.id])).toEqual([{ ...event, identity: { id: identity.id, name: identity.name } }]);
      expect(await fixture.claim(later(1))).toHaveLength(2);
      expect(await fixture.endLost(later(2), { notOwnedBy: "another start" })).toHaveLength(3);
    });
  });
}
