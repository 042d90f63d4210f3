import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const SOURCES = new URL("../packages/core/src/", import.meta.url);

/** Background work is not counted as calls are: a stop waits for it otherwise, so it holds nothing. */
const BACKGROUND = [
  "audiences/broadcasting.ts",
  "creating/fan-out.ts",
  "inbox/due-items.ts",
  "operator/alarms.ts",
  "operator/health-upkeep.ts",
  "operator/heartbeat.ts",
  "operator/retrying.ts",
  "privacy/retention.ts",
  "realtime/feeds.ts",
  "realtime/presence.ts",
  "work/lease-engine.ts",
];

/** These hold it without `using`, as one of its results is at hand at once: `onceReady`, and a create, which pays for each promise. */
const HOT = ["foundation/context.ts", "creating/create.ts"];

/** A call of `ready()`, as `context.ready()` or alone; not a declaration of it, and not another name that ends so. */
const CALL = /(?<![\w#])ready\(\)(?!:)/;
/** How a call of the host holds it: it is in flight until the block ends. */
const HELD = /^\s*using \w+ = await [\w.#]*\bready\(\);$/;
/** Handed on to somebody else, who holds it. */
const HANDED_ON = /ready(?: =|:) \(\) => [\w.#]*\bready\(\)/;

const isComment = (line: string) => /^\s*(?:\*|\/\/|\/\*)/.test(line);

/** The lines of a source that ask whether the storage is ready, and do not hold the answer. */
function notHeld(source: string): string[] {
  return source.split("\n").filter((line) => CALL.test(line) && !isComment(line) && !HELD.test(line) && !HANDED_ON.test(line));
}

test("an operation holds what ready() answers with `using`, so that a stop waits for it, and for no longer", async () => {
  const files = (await readdir(SOURCES, { recursive: true })).filter((file) => file.endsWith(".ts") && !file.includes(".test"));
  const found: string[] = [];
  let held = 0;
  for (const file of files.filter((name) => !BACKGROUND.includes(name) && !HOT.includes(name))) {
    const source = await readFile(new URL(file, SOURCES), "utf8");
    held += source.split("\n").filter((line) => HELD.test(line)).length;
    found.push(...notHeld(source).map((line) => `packages/core/src/${file}: ${line.trim()}`));
  }
  expect(
    found,
    "ready() counts a call until its answer is disposed of: a stop of the service would wait for these for ever. " +
      "Write `using _call = await context.ready();`, or `onceReady` where an operation is hot.",
  ).toEqual([]);
  expect(held).toBeGreaterThan(30);
});

test.each([
  "  await context.ready();",
  "  const call = await context.ready();",
  "    await this.#context.ready();",
  "  return ready().then(() => list(context));",
  "  using call = context.ready();",
])("a plain use is found: %s", (line) => {
  expect(notHeld(line)).toEqual([line]);
});

test.each(["  using _call = await context.ready();", "    using _call = await this.#options.ready();", "  ready(): Promise<Disposable>;"])(
  "this is none: %s",
  (line) => {
    expect(notHeld(line)).toEqual([]);
  },
);
