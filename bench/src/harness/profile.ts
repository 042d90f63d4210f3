import { Session } from "node:inspector/promises";
import type { RatioCase, Row, Scale } from "./row.ts";
import { Skipped } from "./row.ts";
import { StatementTimes } from "./statement-times.ts";
import { Stopwatch } from "./stopwatch.ts";

const WARM_UP_MS = 1_000;
const SLICE_MS = 100;
const PROFILED_MS = 4_000;
const LINES = 30;
const INTERVAL_MICROS = 200;

/** What the profiler adds, and what is above everything. */
const NOT_WORK = /^\((idle|root)\)|node:internal\/|^post node:inspector/;

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples?: readonly number[];
  readonly timeDeltas?: readonly number[];
}

/** What to profile. */
export interface ProfileOptions {
  readonly scale: Scale;
  /** The name of the side. */
  readonly side: string;
}

/** Runs one side of each of a row's comparisons alone, and tells where this process's CPU goes: by function, own time and with callees. */
export async function profileRow({ id, cases }: Row, options: ProfileOptions): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const one of cases) {
    if ("open" in one) {
      lines.push(`${id} ${one.name}: ${options.side}`, ...(await profileCase(one, options)));
    }
  }
  if (lines.length === 0) {
    throw new Skipped(`The row ${id} has figures only, and no sides to profile.`);
  }
  return lines;
}

async function profileCase(one: RatioCase, { scale, side: name }: ProfileOptions): Promise<readonly string[]> {
  const comparison = await one.open(scale);
  try {
    const side = comparison.sides.find((other) => other.name === name);
    if (side === undefined) {
      throw new Error(`There is no side ${JSON.stringify(name)}; there are ${comparison.sides.map((other) => other.name).join(", ")}.`);
    }
    let count = side.step ?? 1;
    const runFor = async (ms: number) => {
      const watch = new Stopwatch(null);
      let operations = 0;
      for (const startedMs = performance.now(); performance.now() - startedMs < ms; operations += count) {
        await side.run(count, watch);
      }
      return operations;
    };
    // About as many at a time as a slice has.
    const inWarmUp = await runFor(WARM_UP_MS);
    count = Math.max(count, Math.round(inWarmUp / (WARM_UP_MS / SLICE_MS) / count) * count);
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: INTERVAL_MICROS });
    await session.post("Profiler.start");
    const operations = await runFor(PROFILED_MS);
    const { profile } = await session.post("Profiler.stop");
    session.disconnect();
    // In a run of its own: remembering costs time itself.
    const statements = new StatementTimes();
    const timed = await runFor(PROFILED_MS / 2);
    return [...linesOf(profile as Profile, operations), "  Statements of an operation:", ...statements.stop(timed)];
  } finally {
    await comparison.close();
  }
}

/** Microseconds an operation by function: its own, and with what it calls. */
function linesOf({ nodes, samples = [], timeDeltas = [] }: Profile, operations: number): readonly string[] {
  const own = new Map<number, number>();
  for (const [index, id] of samples.entries()) {
    own.set(id, (own.get(id) ?? 0) + (timeDeltas[index] ?? 0));
  }
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const selfOf = new Map<string, number>();
  const totalOf = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, micros: number) => to.set(name, (to.get(name) ?? 0) + micros);
  const visit = (node: ProfileNode, above: ReadonlySet<string>): number => {
    const name = nameOf(node);
    const inside = new Set([...above, name]);
    const self = own.get(node.id) ?? 0;
    const total = (node.children ?? []).reduce((sum, id) => sum + visit(byId.get(id) as ProfileNode, inside), self);
    add(selfOf, name, self);
    if (!above.has(name)) {
      add(totalOf, name, total);
    }
    return total;
  };
  const [root] = nodes;
  if (root === undefined) {
    return [];
  }
  visit(root, new Set());
  const all = totalOf.get("(root)") ?? 0;
  const idle = selfOf.get("(idle)") ?? 0;
  const line = (name: string, micros: number) =>
    `    ${(micros / operations).toFixed(2).padStart(9)} ${((100 * micros) / (all - idle)).toFixed(1).padStart(6)} %  ${name}`;
  const top = (of: ReadonlyMap<string, number>) =>
    [...of.entries()]
      .filter(([name]) => !NOT_WORK.test(name))
      .toSorted(([, left], [, right]) => right - left)
      .slice(0, LINES)
      .map(([name, micros]) => line(name, micros));
  return ["  µs an operation, own time:", ...top(selfOf), "  µs an operation, with callees:", ...top(totalOf)];
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  const file = url.replace(/^.*\/(packages|node_modules|bench)\//, "$1/");
  return file === "" ? functionName || "(native code, such as SQLite)" : `${functionName || "(anonymous)"} ${file}:${lineNumber + 1}`;
}
