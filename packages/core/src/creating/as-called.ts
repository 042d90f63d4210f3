import type { UntypedCreateInput } from "../notifications/index.ts";

/** Longer lists hold users alone, or are refused: of these, the list itself is copied. */
const MOST_COPIED = 5_000;
/** What is nested deeper cannot be stored. */
const DEEPEST = 64;

/**
 * The request as its call said it: whoever waits for others before all of its input is read goes by this, whatever the caller does with the
 * objects meanwhile. What is no list, plain object or time stays what it is, as nobody but a schema of the host's knows it.
 */
export function asCalled<Request extends { readonly input: UntypedCreateInput }>(request: Request): Request {
  return { ...request, input: copyOf(request.input, new Map(), 0) as UntypedCreateInput };
}

function copyOf(value: unknown, copies: Map<object, object>, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > DEEPEST) {
    return value;
  }
  const known = copies.get(value);
  if (known !== undefined) {
    return known;
  }
  if (value instanceof Date) {
    return new Date(value);
  }
  if (Array.isArray(value)) {
    const list: unknown[] = value.slice();
    copies.set(value, list);
    for (let index = 0; index < list.length && list.length <= MOST_COPIED; index += 1) {
      list[index] = copyOf(list[index], copies, depth + 1);
    }
    return list;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    return value;
  }
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [name, member] of Object.entries(value)) {
    const copied = copyOf(member, copies, depth + 1);
    if (name === "__proto__") {
      // An assignment would set the prototype.
      Object.defineProperty(copy, name, { value: copied, enumerable: true, writable: true, configurable: true });
    } else {
      copy[name] = copied;
    }
  }
  return copy;
}
