import type { CommandContext } from "./context.ts";

const TICK_MS = 250;

/** Shows for how long `work` has been under way, until it ends. It ends in steps, and may be repeated. */
export async function whileBusy<Result>({ io, output }: CommandContext, what: string, work: () => Promise<Result>): Promise<Result> {
  const startedMs = Date.now();
  const onInterrupt = () => output.remark(`${what} goes on. Press Ctrl-C again to end it at once; run it again later to have it done.`);
  io.signal.addEventListener("abort", onInterrupt);
  const show = () => output.progress(`${what}: ${Math.round((Date.now() - startedMs) / 1_000)} s`);
  show();
  const timer = setInterval(show, TICK_MS);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    io.signal.removeEventListener("abort", onInterrupt);
  }
}
