import type { Receipt } from "@belfry/core";

/** A member of an event, or of a member of it; undefined where there is none. */
export function memberOf(event: unknown, ...path: readonly string[]): unknown {
  let value = event;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[name];
  }
  return value;
}

/** A member that is a text; undefined for another one, and for an empty text. */
export function textOf(event: unknown, ...path: readonly string[]): string | undefined {
  const value = memberOf(event, ...path);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A member that is a list; empty for another one. */
export function listOf(event: unknown, ...path: readonly string[]): readonly unknown[] {
  const value = memberOf(event, ...path);
  return Array.isArray(value) ? value : [];
}

/** A time as ISO 8601 or in seconds since 1970; undefined for another value. */
export function timeOf(value: unknown): Date | undefined {
  const time = new Date(typeof value === "number" ? value * 1_000 : typeof value === "string" ? value : Number.NaN);
  return time.getTime() >= 0 ? time : undefined;
}

/** The parts of a receipt as an event has them, each perhaps undefined. */
type Parts = { readonly [Name in Exclude<keyof Receipt, "kind" | "channel">]: Receipt[Name] | undefined };

/** Makes a receipt of what an event says. Nothing is made of what it does not say. */
export function receiptOf(kind: Receipt["kind"], parts: Partial<Parts>): Receipt {
  const given = Object.entries(parts).filter(([, value]) => value !== undefined);
  return { kind, ...(Object.fromEntries(given) as Partial<Receipt>) };
}
