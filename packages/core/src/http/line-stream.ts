import type { OpenStream, Reply, RouteContext } from "./route.ts";

/** The content type of lines of JSON. */
export const NDJSON = "application/x-ndjson";
/** An empty line after a silence says that more lines follow. */
const PING = "\n";
/** The last line where all lines are there. */
const END = `${JSON.stringify({ record: "end" })}\n`;

/**
 * Answers with lines of JSON, as fast as they are taken. The last one is `{"record":"end"}` if they are whole.
 *
 * @param failure what the log says if they are not
 */
export function lineStream(context: Pick<RouteContext, "stream" | "report">, lines: AsyncIterable<string>, failure: string): Reply {
  const stream = context.stream((open) => {
    let isOver = false;
    writeLines(lines, open, () => isOver).catch((error: unknown) => {
      context.report(error, failure);
      open.close(1011, "try again");
    });
    return () => {
      isOver = true;
    };
  }, PING);
  return { status: 200, headers: { "content-type": NDJSON, "cache-control": "no-store", "x-accel-buffering": "no" }, stream };
}

async function writeLines(lines: AsyncIterable<string>, open: OpenStream, isOver: () => boolean): Promise<void> {
  for await (const line of lines) {
    if (isOver()) {
      return;
    }
    open.send(line);
    await open.writable();
  }
  open.send(END);
  open.close(1000, "done");
}
