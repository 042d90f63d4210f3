/** One Server-Sent Event (HTML standard, 9.2). Every line of the data gets its own field, so text stays one event. */
export function sseEvent({ event, id, data }: { event: string; id: string; data: string }): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\nid: ${id}\n${lines.join("")}\n`;
}

/** How long a client waits before it comes again. */
export const SSE_RETRY = "retry: 1000\n\n";

/** A comment that keeps proxies from closing a silent stream. */
export const SSE_PING = ": ping\n\n";

/** Keeps caches and proxies from holding a stream back. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};
