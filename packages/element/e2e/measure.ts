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

/** Scrolls a list by a step for each frame until it is at its end, where all is loaded, or, with a negative step, at its top. */
export async function scroll(list: Locator, step: number): Promise<Frames> {
  const gaps = await list.evaluate(
    (element, pixels) =>
      new Promise<number[]>((resolve) => {
        const found: number[] = [];
        const isDone = () => {
          const last = [...element.querySelectorAll("article")].at(-1);
          return pixels < 0 ? element.scrollTop === 0 : last?.ariaSetSize === last?.ariaPosInSet;
        };
        const frame = (before: number) => (now: number) => {
          found.push(now - before);
          const { scrollTop } = element;
          element.scrollTop += pixels;
          if (scrollTop === element.scrollTop && isDone()) {
            resolve(found);
          } else {
            requestAnimationFrame(frame(now));
          }
        };
        requestAnimationFrame((now) => requestAnimationFrame(frame(now)));
      }),
    step,
  );
  return framesOf(gaps);
}

/** How long the tasks of a page took, without the time in which the machine did something else. */
interface Tasks {
  readonly count: number;
  readonly longestMs: number;
  readonly over50Ms: number;
}

/** Traces the tasks of a page while something happens. Their time on the processor does not depend on what else the machine does. */
export async function traceTasks(page: Page, work: () => Promise<void>): Promise<Tasks> {
  const browser = page.context().browser();
  await browser?.startTracing(page, { categories: ["toplevel"] });
  let trace: Buffer | undefined;
  try {
    await work();
  } finally {
    trace = await browser?.stopTracing();
  }
  const { traceEvents } = JSON.parse(String(trace)) as { readonly traceEvents: readonly TraceEvent[] };
  const mains = new Set(traceEvents.filter(({ args }) => args?.name === "CrRendererMain").map(({ pid, tid }) => `${pid}:${tid}`));
  const ofMains = traceEvents.filter(({ name, pid, tid }) => name.endsWith("RunTask") && mains.has(`${pid}:${tid}`));
  const times = ofMains.map(({ tdur = 0 }) => tdur / 1_000);
  const longestMs = times.reduce((most, time) => Math.max(most, time), 0);
  return { count: times.length, longestMs, over50Ms: times.filter((time) => time > 50).length };
}

/** What a trace says of a task or a thread. */
interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** The time on the processor, in microseconds. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
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

function framesOf(gaps: readonly number[]): Frames {
  const sorted = gaps.toSorted((one, other) => one - other);
  const total = gaps.reduce((sum, gap) => sum + gap, 0);
  const rounded = (value = 0) => Math.round(value * 10) / 10;
  return {
    count: gaps.length,
    perSecond: rounded((gaps.length * 1_000) / total),
    ms95: rounded(sorted[Math.floor(sorted.length * 0.95)]),
    longestMs: rounded(sorted.at(-1)),
  };
}
