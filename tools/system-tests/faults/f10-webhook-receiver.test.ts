import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { useCleanup } from "../test/use-cleanup.ts";
import { type Arena, arena } from "./parts/arena.ts";
import { databasesOf, percentile, scaled } from "./parts/run.ts";
import type { HookAnswer } from "./parts/sinks.ts";

const ATTEMPT_MS = 3_000;
const FLOOD_BYTES = scaled(5, 100) * 1024 * 1024;

/** Writes without end, as slowly or as fast as the reader takes it. */
function write(
  response: ServerResponse,
  { chunk, total, everyMs }: { readonly chunk: Buffer; readonly total: number; readonly everyMs: number },
) {
  let written = 0;
  const next = () => {
    if (response.destroyed || written >= total) {
      response.end();
      return;
    }
    written += chunk.length;
    const isTaken = response.write(chunk);
    if (everyMs > 0) {
      setTimeout(next, everyMs);
    } else if (isTaken) {
      setImmediate(next);
    } else {
      response.once("drain", next);
    }
  };
  response.writeHead(200);
  next();
}

/** A kind of trouble that a receiver makes at the first attempt, and the status that the delivery has to end with. */
const TROUBLES: readonly { readonly first: HookAnswer; readonly status: string }[] = [
  { first: (response) => response.socket?.resetAndDestroy(), status: "delivered" },
  { first: (response) => write(response, { chunk: Buffer.from("."), total: 1_000, everyMs: 1_000 }), status: "delivered" },
  { first: (response) => write(response, { chunk: Buffer.alloc(65_536), total: FLOOD_BYTES, everyMs: 0 }), status: "delivered" },
  { first: 302, status: "failed" },
  { first: { status: 204, afterMs: ATTEMPT_MS * 0.7 }, status: "delivered" },
  { first: 410, status: "failed" },
];
/** One receiver of five is bad. */
const BAD_EVERY = 5;
const COUNT = TROUBLES.length * BAD_EVERY * scaled(1, 8);

function troubleOf(text: string) {
  const number = Number(/-(\d+)$/.exec(text)?.[1]);
  return number % BAD_EVERY === 0 ? TROUBLES[(number / BAD_EVERY) % TROUBLES.length] : undefined;
}

describe.each(databasesOf(10))("F10 %s: one receiver of webhooks in five resets, drips, floods, redirects, is late, or is gone", (kind) => {
  const cleanup = useCleanup();

  /** How long the good receivers waited, from the request to the receipt, in milliseconds. */
  function waits({ issuedAt }: Arena, receivedAt: ReadonlyMap<string, number>): number[] {
    return [...receivedAt].filter(([text]) => troubleOf(text) === undefined).map(([text, at]) => at - (issuedAt.get(text) ?? at));
  }

  async function run(hasTrouble: boolean) {
    const receivedAt = new Map<string, number>();
    const hook = (path: string, count: number): HookAnswer => {
      const text = path.slice(1);
      receivedAt.set(text, receivedAt.get(text) ?? performance.now());
      const trouble = hasTrouble && count === 1 ? troubleOf(text) : undefined;
      return trouble?.first ?? 204;
    };
    const one = await arena({ fault: "F10", kind, hook, victim: { attemptMs: ATTEMPT_MS, leaseMs: 7_000 } }, cleanup);
    await one.start();
    await one.creates.run(one.jobs(COUNT, ["webhook"]), 8);
    await one.quiet();
    return { one, p99: percentile(waits(one, receivedAt), 0.99) };
  }

  test("each ends as it has to; the good ones are all delivered", async () => {
    const baseline = await run(false);
    await baseline.one.expectSound();
    const { one, p99 } = await run(true);
    // A status that came counts, whatever follows it; no receipt of a drip or a flood says that it was taken.
    await one.quiet();
    const rows = await one.database.deliveries();
    expect(rows.map(({ text, status }) => `${text} ${status}`)).toEqual(
      rows.map(({ text }) => `${text} ${troubleOf(text)?.status ?? "delivered"}`),
    );
    expect(rows).toHaveLength(COUNT);
    const verdict = await one.judge(({ text, status }) => status === (troubleOf(text)?.status ?? "delivered"));
    one.note(verdict, { "p99 of good receivers": `${p99} ms, ${baseline.p99} ms without bad ones` });
  });
});
