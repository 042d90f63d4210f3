import { compareBytewise } from "./compare-bytewise.ts";

/** The same value with every object's members in one order: how a caller orders them says nothing. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(canonical);
  }
  if (typeof value !== "object" || value === null || value instanceof Date) {
    return value;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.sort(([left], [right]) => compareBytewise(left, right)).map(([key, member]) => [key, canonical(member)]);
}
