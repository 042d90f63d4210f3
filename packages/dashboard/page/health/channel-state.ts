import type { ChannelHealth } from "@belfry/core";
import type { Json } from "../../src/wire.ts";
import type { Tone } from "../parts/status.tsx";

type Channel = Pick<Json<ChannelHealth>, "succeeded" | "failed" | "waiting" | "oldestDueAt" | "buckets">;

/** A state of a channel in a word. */
export interface ChannelState {
  readonly word: string;
  readonly tone: Tone;
}

/** From how long on the oldest due delivery says that nobody keeps up. */
const BEHIND_MS = 60_000;
/** From which share of failures on a channel counts as failing. */
const FAILING = 0.5;

/** The state of a channel at a moment: the worst of what there is to say. */
export function channelState({ succeeded, failed, waiting, oldestDueAt }: Channel, nowMs: number): ChannelState {
  const rate = failed === 0 ? 0 : failed / (succeeded + failed);
  if (oldestDueAt !== null && nowMs - Date.parse(oldestDueAt) > BEHIND_MS) {
    return { word: "behind", tone: "bad" };
  }
  if (rate >= FAILING) {
    return { word: "failing", tone: "bad" };
  }
  if (waiting.held > 0) {
    return { word: "held back", tone: "warn" };
  }
  if (failed > 0 || waiting.retrying > 0) {
    return { word: "some fail", tone: "warn" };
  }
  return succeeded > 0 || waiting.due > 0 ? { word: "works", tone: "good" } : { word: "idle", tone: "neutral" };
}

/** Attempts per minute over the period, without the part that is not over. Null if there is no other. */
export function ratePerMinute({ buckets }: Pick<Channel, "buckets">): number | null {
  const [first, second] = buckets;
  const over = buckets.slice(0, -1);
  if (first === undefined || second === undefined) {
    return null;
  }
  const minutes = ((Date.parse(second.from) - Date.parse(first.from)) / 60_000) * over.length;
  return over.reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0) / minutes;
}

/** By how much attempts have to differ for a trend. */
const DIFFERENT = 1.25;

/** Whether there were more attempts in the last quarter of the period than in the one before; null if there were none in both. */
export function trendOf({ buckets }: Pick<Channel, "buckets">): "rising" | "falling" | "steady" | null {
  const over = buckets.slice(0, -1);
  const quarter = Math.floor(over.length / 4);
  const count = (from: number, to?: number) => over.slice(from, to).reduce((sum, { succeeded, failed }) => sum + succeeded + failed, 0);
  const [before, last] = [count(-2 * quarter, -quarter), count(-quarter)];
  if (before + last === 0) {
    return null;
  }
  return last > before * DIFFERENT ? "rising" : before > last * DIFFERENT ? "falling" : "steady";
}
