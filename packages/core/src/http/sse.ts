/**
 * Formats one Server-Sent Event (HTML standard, 9.2). Every line of the data gets its own field, so that text with line
 * breaks stays one event.
 */
export function sseEvent({ event, id, data }: { event: string; id: string; data: string }): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\nid: ${id}\n${lines.join("")}\n`;
}

/** The time that a client waits before it reconnects. */
export const SSE_RETRY = "retry: 1000\n\n";

/** A comment that keeps proxies from closing a silent stream. */
export const SSE_PING = ": ping\n\n";

/** Headers that stop caches and proxies from delaying a stream. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};
