import { expect, test, vi } from "vitest";
import { systemClock } from "../foundation/clock.ts";
import { LeaseEngine } from "./lease-engine.ts";
import type { LeaseStorage, LostLease, LostLeaseQuery } from "./lease-storage.ts";
import type { LeasedTasks } from "./leased-tasks.ts";
import { Cancellation, nextTurn } from "./timing.ts";

interface Task {
  readonly id: string;
  readonly tenant: string;
  readonly fence: number;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** An engine over tasks that are listed here, on a storage that one process has to itself, or shares. */
function engineOver({
  due = [] as Task[],
  lost = [] as LostLease[][],
  hasSingleProcess = true,
  leases = {} as Partial<LeaseStorage<Task>>,
  mayBegin = (_: Task) => false,
  reserved = (_: Task) => {},
  record = async (_: readonly string[]) => {},
  clock = systemClock,
}) {
  const asked: LostLeaseQuery[] = [];
  const endedLost: string[][] = [];
  const claims: (readonly string[])[] = [];
  const recorded: string[] = [];
  const tasks: LeasedTasks<Task, object, string> = {
    name: "tasks",
    leases: {
      claim: async ({ limit, exceptTenants }) => {
        claims.push(exceptTenants);
        const taken = due.filter(({ tenant }) => !exceptTenants.includes(tenant)).slice(0, limit);
        due = due.filter((task) => !taken.includes(task));
        return taken;
      },
      leasedTo: async () => [],
      renew: async () => [],
      lost: async (query) => {
        asked.push(query);
        return lost.shift() ?? [];
      },
      nextDueInMs: async () => null,
      ...leases,
    },
    leaseOf: (task) => task,
    dueAtOf: () => null,
    fairness: () => ({}),
    mayBegin,
    reserved,
    attempt: async ({ id }) => id,
    async record(_, ended) {
      recorded.push(...ended);
      await record(ended);
      return ended.map(() => true);
    },
    endOf: () => "done",
    makesDue: () => false,
    endLost: async (leases) => void endedLost.push(leases.map(({ id }) => id)),
  };
  const engine = new LeaseEngine(tasks, {
    owner: "me",
    concurrency: 10,
    leaseMs: 60_000,
    storage: { name: "test", hasSingleProcess },
    clock,
    logger: silent,
    ready: async () => undefined,
  });
  return { engine, asked, endedLost, claims, recorded };
}

test("a task that is still to be written is held, and one that is given up is looked for by its lease", async () => {
  const task = (id: string) => ({ id, tenant: "acme", fence: 1 });
  const written = [task("1"), task("2")];
  const reserved: string[] = [];
  const { engine, claims } = engineOver({
    reserved: ({ id }) => void reserved.push(id),
    leases: { leasedTo: async () => written, renew: async () => [] },
    mayBegin: ({ id }) => id !== "3",
  });
  expect(["1", "2", "3"].map((id) => engine.lending.reserve(task(id)))).toEqual([true, true, false]);
  expect(reserved).toEqual(["1", "2"]);
  expect(await engine.claim(5)).toEqual([]);
  engine.lending.giveUp(task("2"));
  expect((await engine.claim(1)).map(({ id }) => id)).toEqual([]);
  expect(claims).toHaveLength(1);
});

const lease = (id: string, owner: string): LostLease => ({ id, owner, fence: 1, until: new Date(0), attempt: 1 });

test("where it is alone, it takes over all leases at its start, and later only lost ones", async () => {
  const { engine, asked } = engineOver({});
  await engine.tidy();
  await engine.tidy();
  expect(asked.map(({ notOwnedBy, furthestMs }) => [notOwnedBy, furthestMs])).toEqual([
    ["me", 60_000],
    [undefined, 60_000],
  ]);
});

test("where others work, too, their leases may be longer than its own", async () => {
  const { engine, asked } = engineOver({ hasSingleProcess: false });
  await engine.tidy();
  expect(asked).toMatchObject([{ furthestMs: 3_600_000 }]);
  expect(asked[0]).not.toHaveProperty("notOwnedBy");
});

test("its own tasks are not lost, however far the clock went", async () => {
  const { engine, endedLost } = engineOver({
    due: [{ id: "mine", tenant: "t", fence: 1 }],
    lost: [[lease("mine", "me"), lease("left", "me"), lease("mine", "another")], [lease("mine", "me")]],
  });
  const [mine] = await engine.claim(10);
  await engine.tidy();
  expect(endedLost).toEqual([["left", "mine"]]);
  await engine.perform(mine as Task, new Cancellation());
  await engine.tidy();
  expect(endedLost).toEqual([["left", "mine"], ["mine"]]);
});

test("a full batch of lost leases is followed by another, and a smaller one by none", async () => {
  const full = Array.from({ length: 256 }, (_, index) => lease(`${index}`, "another"));
  const { engine, asked, endedLost } = engineOver({ lost: [full, full.slice(0, 3)] });
  await engine.tidy();
  expect([asked.length, endedLost.map(({ length }) => length)]).toEqual([2, [256, 3]]);
});

test("the claim that follows on what was recorded goes before what ended meanwhile is recorded", async () => {
  const steps: string[] = [];
  const first = Promise.withResolvers<void>();
  const due = ["a", "b", "c"].map((id) => ({ id, tenant: "t", fence: 1 }));
  const { engine } = engineOver({
    leases: {
      async claim({ limit }) {
        steps.push("claim");
        return due.splice(0, limit);
      },
    },
    async record(ended) {
      steps.push(...ended);
      await (ended.includes("a") ? first.promise : undefined);
    },
  });
  const [a, b] = await engine.claim(2);
  const recorded = engine.perform(a as Task, new Cancellation());
  await vi.waitFor(() => expect(steps).toEqual(["claim", "a"]));
  const later = engine.perform(b as Task, new Cancellation());
  await nextTurn();
  first.resolve();
  await recorded;
  // As a worker does, in the turn after.
  await nextTurn();
  await engine.claim(1);
  await later;
  expect(steps).toEqual(["claim", "a", "claim", "b"]);
});

test("a tenant that has its share is left out until one of its tasks ends", async () => {
  const due = Array.from({ length: 8 }, (_, index) => ({ id: `${index}`, tenant: "t", fence: 1 }));
  const { engine, claims, recorded } = engineOver({ due });
  const [first] = await engine.claim(8);
  await engine.claim(2);
  await engine.perform(first as Task, new Cancellation());
  await engine.claim(3);
  expect([claims, recorded]).toEqual([[[], ["t"], []], ["0"]]);
});

test("one claim gives a tenant no more than its share, whatever is due first, and the rest to others", async () => {
  const of = (tenant: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ id: `${tenant}${index}`, tenant, fence: 1 }));
  const { engine, claims } = engineOver({ due: [...of("noisy", 30), ...of("quiet", 3)] });
  const tasks = await engine.claim(10);
  expect(tasks.map(({ tenant }) => tenant)).toEqual([...Array<string>(8).fill("noisy"), "quiet", "quiet"]);
  expect(claims).toEqual([[], ["noisy"]]);
  await engine.perform(tasks[0] as Task, new Cancellation());
  expect((await engine.claim(1)).map(({ id }) => id)).toEqual(["noisy8"]);
});

test("while a tenant has its share and no other had anything due a moment ago, it need not look again", async () => {
  let nowMs = 0;
  const clock = { ...systemClock, now: () => nowMs };
  const due = Array.from({ length: 30 }, (_, index) => ({ id: `${index}`, tenant: "noisy", fence: 1 }));
  const { engine, claims } = engineOver({ due, clock });
  expect(engine.mayFindMore()).toBe(true);
  const tasks = await engine.claim(10);
  expect([tasks.length, claims.length, engine.mayFindMore()]).toEqual([8, 2, false]);
  nowMs = 50;
  expect(engine.mayFindMore()).toBe(true);
  expect([await engine.claim(2), engine.mayFindMore()]).toEqual([[], false]);
  // Its tenant has turns again.
  await Promise.all(tasks.map((task) => engine.perform(task, new Cancellation())));
  expect(engine.mayFindMore()).toBe(true);
  expect(await engine.claim(10)).toHaveLength(8);
  expect([claims, engine.mayFindMore()]).toEqual([[[], ["noisy"], ["noisy"], []], false]);
});

test("the end of another tenant's task has it look again, although one has its share: a task may have waited for what that used", async () => {
  const noisy = Array.from({ length: 8 }, (_, index) => ({ id: `noisy${index}`, tenant: "noisy", fence: 1 }));
  const quiet = ["a", "b", "c"].map((id) => ({ id, tenant: "quiet", fence: 1 }));
  let isFree = true;
  const claim: LeaseStorage<Task>["claim"] = async ({ exceptTenants }) => {
    if (!exceptTenants.includes("noisy")) {
      return noisy.splice(0, 8);
    }
    // One at a time, as those to an endpoint.
    const taken = isFree ? quiet.splice(0, 1) : [];
    isFree &&= taken.length === 0;
    return taken;
  };
  const { engine } = engineOver({ leases: { claim }, clock: { ...systemClock, now: () => 0 } });
  const [one] = (await engine.claim(10)).filter(({ tenant }) => tenant === "quiet");
  expect([await engine.claim(1), engine.mayFindMore()]).toEqual([[], false]);
  isFree = true;
  await engine.perform(one as Task, new Cancellation());
  expect(engine.mayFindMore()).toBe(true);
  expect((await engine.claim(1)).map(({ id }) => id)).toEqual(["b"]);
});

test("an answer to a claim that comes late begins only what the worker still holds", async () => {
  let nowMs = 0;
  const mine = { id: "mine", tenant: "t", fence: 1 };
  const { engine, endedLost } = engineOver({
    lost: [[lease("mine", "me"), lease("gone", "me")]],
    leases: {
      claim: async () => {
        nowMs += 60_000;
        return [mine, { ...mine, id: "gone" }];
      },
      renew: async (_, asked) => asked.filter(({ id }) => id === "mine"),
    },
    clock: { ...systemClock, now: () => nowMs },
  });
  expect(await engine.claim(10)).toEqual([mine]);
  // The other one is not in hand.
  await engine.tidy();
  expect(endedLost).toEqual([["gone"]]);
});

test("what was attempted is not attempted again under the same lease, although its end could not be recorded", async () => {
  const [tried, next] = ["tried", "next"].map((id) => ({ id, tenant: "t", fence: 1 })) as [Task, Task];
  let isAway = false;
  let leased = [tried, next];
  const { engine, recorded, endedLost } = engineOver({
    due: [tried],
    lost: [[lease("tried", "me")]],
    leases: {
      leasedTo: async () => leased,
      renew: async (_, asked) => asked,
    },
    record: async () => {
      if (isAway) {
        throw new Error("no answer to the record");
      }
    },
  });
  const [task] = await engine.claim(1);
  isAway = true;
  await expect(engine.perform(task as Task, new Cancellation())).rejects.toThrow("no answer to the record");
  isAway = false;
  // As after a claim that got no answer, it looks for what it holds.
  engine.lending.giveUp({ id: "another", tenant: "t", fence: 1 });
  expect(await engine.claim(5)).toEqual([next]);
  // The lease runs out, and a claim gives the task another one.
  await engine.tidy();
  expect(endedLost).toEqual([["tried"]]);
  const again = { ...tried, fence: 2 };
  leased = [again, next];
  engine.lending.giveUp({ id: "another", tenant: "t", fence: 1 });
  expect(await engine.claim(5)).toEqual([again]);
  await engine.perform(again, new Cancellation());
  expect(recorded).toEqual(["tried", "tried"]);
});

test("what a worker finds again is begun with a lease of full length, at the latest when the database answers", async () => {
  const mine = { id: "mine", tenant: "t", fence: 1 };
  const answers = [new Error("no answer to the claim"), new Error("no answer to the renewal"), null];
  const next = async () => {
    const error = answers.shift() ?? null;
    if (error !== null) {
      throw error;
    }
  };
  const renewed: string[] = [];
  const { engine } = engineOver({
    leases: {
      claim: async () => {
        await next();
        return [];
      },
      leasedTo: async () => [mine],
      renew: async (_, asked) => {
        await next();
        renewed.push(...asked.map(({ id }) => id));
        return asked;
      },
    },
  });
  await expect(engine.claim(1)).rejects.toThrow("no answer to the claim");
  await expect(engine.claim(1)).rejects.toThrow("no answer to the renewal");
  expect(await engine.claim(1)).toEqual([mine]);
  expect(renewed).toEqual(["mine"]);
});

test("a task that is given up while the worker looks for what it holds is looked for again", async () => {
  const later = { id: "later", tenant: "t", fence: 1 };
  const asked = Promise.withResolvers<void>();
  const answers = [[], [later]];
  const { engine } = engineOver({
    leases: {
      leasedTo: async () => {
        await asked.promise;
        return answers.shift() ?? [];
      },
      renew: async (_, held) => held,
    },
    mayBegin: () => true,
  });
  engine.lending.giveUp({ id: "another", tenant: "t", fence: 1 });
  expect(engine.lending.reserve(later)).toBe(true);
  const claimed = engine.claim(5);
  // It was read before the write that was given up.
  engine.lending.giveUp(later);
  asked.resolve();
  expect(await claimed).toEqual([]);
  expect(engine.mayFindMore()).toBe(true);
  expect(await engine.claim(5)).toEqual([later]);
});

test("a task that is reserved and ends while the worker looks for what it holds is not begun again", async () => {
  const quick = { id: "quick", tenant: "t", fence: 1 };
  const asked = Promise.withResolvers<void>();
  const { engine, recorded } = engineOver({
    leases: {
      leasedTo: async () => {
        await asked.promise;
        return [quick];
      },
      renew: async (_, held) => held,
    },
    mayBegin: () => true,
  });
  engine.lending.giveUp({ id: "another", tenant: "t", fence: 1 });
  const claimed = engine.claim(5);
  expect(engine.lending.reserve(quick)).toBe(true);
  await engine.perform(quick, new Cancellation());
  asked.resolve();
  expect([await claimed, recorded]).toEqual([[], ["quick"]]);
});

test("two claims at once begin a task once, although one looks for what the worker holds while the answer of the other is under way", async () => {
  const task = { id: "task", tenant: "t", fence: 1 };
  const answer = Promise.withResolvers<void>();
  const leased: Task[] = [];
  const { engine } = engineOver({
    leases: {
      claim: async () => {
        const taken = leased.length === 0 ? [task] : [];
        leased.push(...taken);
        await answer.promise;
        return taken;
      },
      leasedTo: async () => [...leased],
      renew: async (_, held) => held,
    },
  });
  const first = engine.claim(5);
  await nextTurn();
  engine.lending.giveUp({ id: "another", tenant: "t", fence: 1 });
  const second = engine.claim(5);
  await nextTurn();
  answer.resolve();
  expect([await first, await second]).toEqual([[task], []]);
});

test("what could not be recorded is forgotten once it is leased to somebody else, or to nobody", async () => {
  const tried = { id: "tried", tenant: "t", fence: 1 };
  let looks = 0;
  const { engine } = engineOver({
    due: [tried],
    leases: {
      leasedTo: async () => {
        looks += 1;
        return looks === 1 ? [tried] : [];
      },
    },
    record: async () => {
      throw new Error("no answer to the record");
    },
  });
  const [task] = await engine.claim(1);
  await expect(engine.perform(task as Task, new Cancellation())).rejects.toThrow("no answer to the record");
  for (let times = 0; times < 4; times += 1) {
    await engine.tidy();
    expect(await engine.claim(1)).toEqual([]);
  }
  // It is leased still at the first look, and not any more at the second: nothing is left to look for.
  expect(looks).toBe(2);
});
