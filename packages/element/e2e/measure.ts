import type { Locator, Page } from "playwright-core";

/** How frames followed each other. */
interface Frames {
  readonly count: number;
  readonly perSecond: number;
  /** Of 100 frames, 95 came within this time after the one before. */
  readonly ms95: number;
  readonly longestMs: number;
}

/** What a page holds after its garbage was collected. */
interface Held {
  readonly mebibytes: number;
  readonly nodes: number;
}

/** Scrolls a list to its end until all of it is loaded. */
export async function loadAll(list: Locator): Promise<void> {
  await list.evaluate(
    (element) =>
      new Promise<void>((resolve) => {
        const frame = () => {
          const last = [...element.querySelectorAll("article")].at(-1);
          const isAtEnd = element.scrollHeight - element.scrollTop - element.clientHeight < 1;
          if (isAtEnd && last?.ariaSetSize === last?.ariaPosInSet) {
            resolve();
            return;
          }
          element.scrollTop = element.scrollHeight;
          requestAnimationFrame(frame);
        };
        frame();
      }),
  );
}

/** Scrolls a list from a place, a part of its height, by a step for each frame. */
export async function scroll(list: Locator, { from, step, frames }: Readonly<Record<"from" | "step" | "frames", number>>): Promise<Frames> {
  const gaps = await list.evaluate(
    (element, { place, pixels, count }) =>
      new Promise<number[]>((resolve) => {
        element.scrollTop = place * (element.scrollHeight - element.clientHeight);
        const found: number[] = [];
        const frame = (before: number) => (now: number) => {
          found.push(now - before);
          element.scrollTop += pixels;
          if (found.length === count) {
            resolve(found);
          } else {
            requestAnimationFrame(frame(now));
          }
        };
        requestAnimationFrame((now) => requestAnimationFrame(frame(now)));
      }),
    { place: from, pixels: step, count: frames },
  );
  return framesOf(gaps);
}

/** How long the tasks of a page took, without the time in which the machine did something else. */
interface Tasks {
  readonly count: number;
  readonly totalMs: number;
  readonly longestMs: number;
  /** The tasks of more than 50 ms: when they began, and what ran in them. */
  readonly long: readonly string[];
}

/** A task of a page is long if it takes more of the processor's time than this. */
const LONG_MS = 50;
/** Of what ran in a long task, parts of at least this long are told. */
const PART_MS = 5;
/** Chromium's names for its tasks and for what runs in them, with calls of functions, layout, painting and the collection of garbage. */
const CATEGORIES = ["disabled-by-default-devtools.timeline", "devtools.timeline", "v8"];

/** Traces the tasks of a page while something happens. Their time on the processor does not depend on what else the machine does. */
export async function traceTasks(page: Page, work: () => Promise<void>): Promise<Tasks> {
  const browser = page.context().browser();
  await browser?.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer | undefined;
  try {
    await work();
  } finally {
    trace = await browser?.stopTracing();
  }
  const { traceEvents } = JSON.parse(String(trace)) as { readonly traceEvents: readonly TraceEvent[] };
  const mains = new Set(traceEvents.filter(({ args }) => args?.name === "CrRendererMain").map(threadOf));
  const events = traceEvents.filter((event) => event.dur !== undefined && mains.has(threadOf(event)));
  const tasks = events.filter(({ name }) => name.endsWith("RunTask"));
  const begun = events.reduce((first, { ts }) => Math.min(first, ts), Number.POSITIVE_INFINITY);
  const long = tasks.filter((task) => msOf(task) > LONG_MS);
  return {
    count: tasks.length,
    totalMs: rounded(tasks.reduce((sum, task) => sum + msOf(task), 0)),
    longestMs: rounded(tasks.reduce((most, task) => Math.max(most, msOf(task)), 0)),
    long: long.map((task) => {
      const parts = events.filter((event) => event !== task && isIn(event, task) && msOf(event) >= PART_MS);
      return `${rounded(msOf(task))} ms after ${Math.round((task.ts - begun) / 1e6)} s: ${parts.map(partOf).join(", ")}`;
    }),
  };
}

/** What a trace says of a task, of a part of one, or of a thread. Times are in microseconds. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  /** The time on the processor. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string; readonly data?: { readonly functionName?: string; readonly type?: string } };
}

const threadOf = ({ pid, tid }: TraceEvent) => `${pid}:${tid}`;
const msOf = ({ tdur = 0 }: TraceEvent) => tdur / 1_000;

function isIn(event: TraceEvent, task: TraceEvent): boolean {
  return threadOf(event) === threadOf(task) && event.ts >= task.ts && event.ts < task.ts + (task.dur ?? 0);
}

function partOf(event: TraceEvent): string {
  const { functionName, type } = event.args?.data ?? {};
  return [event.name, functionName ?? type, `${rounded(msOf(event))} ms`].filter(Boolean).join(" ");
}

/** Notes frames, and tasks that are longer than 50 ms, from now on. */
export async function watchTasks(
  page: Page,
): Promise<{ end(): Promise<{ readonly frames: Frames; readonly longTasks: readonly number[] }> }> {
  const noted = await page.evaluateHandle(() => {
    const notes = { gaps: [] as number[], longTasks: [] as number[] };
    new PerformanceObserver((list) => notes.longTasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: "longtask",
    });
    const frame = (before: number) => (now: number) => {
      notes.gaps.push(now - before);
      requestAnimationFrame(frame(now));
    };
    requestAnimationFrame((now) => requestAnimationFrame(frame(now)));
    return notes;
  });
  return {
    async end() {
      const { gaps, longTasks } = await noted.jsonValue();
      return { frames: framesOf(gaps), longTasks };
    },
  };
}

/** What a page holds. */
export async function held(page: Page): Promise<Held> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  const { nodes } = await session.send("Memory.getDOMCounters");
  await session.detach();
  return { mebibytes: Math.round(usedSize / 2 ** 18) / 4, nodes };
}

const rounded = (value = 0) => Math.round(value * 10) / 10;

function framesOf(gaps: readonly number[]): Frames {
  const sorted = gaps.toSorted((one, other) => one - other);
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  return {
    count: gaps.length,
    perSecond: rounded((gaps.length * 1_000) / total),
    ms95: rounded(sorted[Math.floor(sorted.length * 0.95)]),
    longestMs: rounded(sorted.at(-1)),
  };
}
