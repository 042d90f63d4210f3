import type { JsonObject, JsonValue } from "@belfry/core";
import { wrongUsage } from "./failure.ts";

/** Reads a JSON object that was typed. @param option the option it stands behind */
export function parseJsonObject(text: string, option: string): JsonObject {
  const value = parsed(text, option);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongUsage(`${option} ${text} is no JSON object. Write it as in ${option} '{"post": 7}'.`);
  }
  return Object.fromEntries(Object.entries(value));
}

function parsed(text: string, option: string): JsonValue {
  try {
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch (error) {
    throw wrongUsage(`${option} ${text} is no JSON: ${error instanceof Error ? error.message : String(error)}. Put it into single quotes.`);
  }
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a time that was typed: ISO 8601, or how long ago it was, as `30m`, `2h` and `7d`. */
export function parseTime(text: string, option: string): Date {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (count !== undefined) {
    return new Date(Date.now() - Number(count) * (UNITS[unit] ?? 0));
  }
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(at.getTime())) {
    throw wrongUsage(
      `${option} ${JSON.stringify(text)} is no time. Write how long ago it was, as 30m, 2h or 7d, or a time such as 2026-11-30T12:00:00Z.`,
    );
  }
  return at;
}

/** A whole number that was typed, and where it may lie. */
export interface WholeRule {
  readonly option: string;
  readonly min: number;
  readonly max: number;
}

/** Reads a whole number that was typed. */
export function parseWhole(text: string, { option, min, max }: WholeRule): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw wrongUsage(`${option} ${JSON.stringify(text)} is no whole number from ${min} to ${max}.`);
  }
  return value;
}
