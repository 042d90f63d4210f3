import { isPlain } from "./parse-text.ts";

/** What is nested deeper cannot be stored. */
const DEEPEST = 64;
/** The objects of a longer list usually are addresses, of one text each: those are copied as they are, which takes a tenth of the time. */
const MANY = 5_000;

/**
 * A copy of what a caller passed, which stays as it is whatever the caller does with the objects. It has copies of plain objects and lists,
 * of times, URLs, maps, sets and bytes. An instance of another class stays itself: nobody knows how to make one like it.
 */
export function copied<Value>(value: Value): Value {
  return copyOf(value, new Map(), 0) as Value;
}

/** The copies so far: what is in there twice, or in itself, is so in the copy, too. */
type Copies = Map<object, object>;

function copyOf(value: unknown, copies: Copies, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > DEEPEST) {
    return value;
  }
  const known = copies.get(value);
  if (known !== undefined) {
    return known;
  }
  if (Array.isArray(value)) {
    return copyOfList(value, copies, depth);
  }
  return isPlain(value) ? copyOfMembers(value, copies, depth) : copyOfInstance(value, copies, depth);
}

function copyOfList(list: readonly unknown[], copies: Copies, depth: number): readonly unknown[] {
  const copy = list.slice();
  copies.set(list, copy);
  const isLong = copy.length > MANY;
  for (let index = 0; index < copy.length; index += 1) {
    const element = copy[index];
    if (typeof element === "object" && element !== null) {
      copy[index] = isLong && isPlain(element) && isFlat(element) ? { ...element } : copyOf(element, copies, depth + 1);
    }
  }
  return copy;
}

/** Whether nothing in a plain object is to be copied itself. */
function isFlat(value: object): boolean {
  for (const name in value) {
    const member: unknown = value[name as keyof typeof value];
    if (typeof member === "object" && member !== null) {
      return false;
    }
  }
  return true;
}

function copyOfMembers(value: object, copies: Copies, depth: number): object {
  const copy: Record<string, unknown> = {};
  copies.set(value, copy);
  for (const [name, member] of Object.entries(value)) {
    const own = copyOf(member, copies, depth + 1);
    if (name === "__proto__") {
      // An assignment would set the prototype.
      Object.defineProperty(copy, name, { value: own, enumerable: true, writable: true, configurable: true });
    } else {
      copy[name] = own;
    }
  }
  return copy;
}

function copyOfInstance(value: object, copies: Copies, depth: number): object {
  if (value instanceof Date) {
    return new Date(value);
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    // That of all lists of numbers; a Buffer has one of its own, which copies nothing.
    return Uint8Array.prototype.slice.call(value);
  }
  // One of a class that extends these has more than they know.
  switch (Object.getPrototypeOf(value)) {
    case URL.prototype:
      return new URL((value as URL).href);
    case Map.prototype: {
      const copy = new Map<unknown, unknown>();
      copies.set(value, copy);
      for (const [key, member] of value as ReadonlyMap<unknown, unknown>) {
        copy.set(copyOf(key, copies, depth + 1), copyOf(member, copies, depth + 1));
      }
      return copy;
    }
    case Set.prototype: {
      const copy = new Set<unknown>();
      copies.set(value, copy);
      for (const member of value as ReadonlySet<unknown>) {
        copy.add(copyOf(member, copies, depth + 1));
      }
      return copy;
    }
    default:
      return value;
  }
}
