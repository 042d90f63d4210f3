import { spreadMs } from "./spread.ts";

/** An event of a stream. */
export interface SseEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Formats one Server-Sent Event (HTML standard, 9.2). Every line of the data gets its own field, so that text with line breaks stays one event. */
export function sseEvent({ event, id, data }: SseEvent): string {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  return `event: ${event}\nid: ${id}\n${lines.join("")}\n`;
}

/** How long a client waits at the least before it reconnects. */
const RETRY_MS = 1_000;

/**
 * Tells a client how long to wait before it reconnects: 1 to 2 seconds, another time for each stream.
 *
 * @param random where the time is drawn from: a number from 0 to 1
 */
export function sseRetry(random: () => number = Math.random): string {
  return `retry: ${spreadMs(RETRY_MS, random())}\n\n`;
}

/** A comment that keeps proxies from closing a silent stream. */
export const SSE_PING = ": ping\n\n";

/** Headers that stop caches and proxies from delaying a stream. */
export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};
