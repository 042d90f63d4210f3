import { expect, test } from "vitest";
import { copied } from "./copied.ts";

class Own {
  value = 1;
}

class OwnMap extends Map<string, number> {}

test("objects, lists, times, URLs, maps, sets and bytes are copied, however deep", () => {
  const value = {
    list: [{ at: new Date(1) }],
    link: new URL("https://example.com/"),
    map: new Map([[{ key: 1 }, { value: 1 }]]),
    set: new Set([{ value: 1 }]),
    bytes: new Uint16Array([1, 2]),
    buffer: Buffer.from("text"),
  };
  const copy = copied(value);
  expect(copy).toEqual(value);
  value.list[0]?.at.setTime(2);
  value.list.pop();
  value.link.pathname = "/other";
  for (const [key, member] of value.map) {
    key.key = 2;
    member.value = 2;
  }
  value.set.clear();
  value.bytes.fill(0);
  value.buffer.fill(0);
  expect(copy).toEqual({
    list: [{ at: new Date(1) }],
    link: new URL("https://example.com/"),
    map: new Map([[{ key: 1 }, { value: 1 }]]),
    set: new Set([{ value: 1 }]),
    bytes: new Uint16Array([1, 2]),
    buffer: Buffer.from("text"),
  });
  expect(Buffer.isBuffer(copy.buffer)).toBe(true);
});

test("an instance of another class stays itself, also of one that extends a class of the language", () => {
  const value = { own: new Own(), map: new OwnMap() };
  expect(copied(value).own).toBe(value.own);
  expect(copied(value).map).toBe(value.map);
});

test("what is in a value twice, or in itself, is so in the copy", () => {
  const shared = { value: 1 };
  const value: { readonly all: unknown[]; readonly map: Map<string, unknown> } = { all: [shared, shared], map: new Map() };
  value.all.push(value);
  value.map.set("itself", value.map);
  const copy = copied(value);
  expect(copy.all[0]).toBe(copy.all[1]);
  expect(copy.all[0]).not.toBe(shared);
  expect(copy.all[2]).toBe(copy);
  expect(copy.map.get("itself")).toBe(copy.map);
});

test("so are the objects in those of a long list", () => {
  const value = Array.from({ length: 6_000 }, (_, at) => ({ at, within: { value: 1 } }));
  const copy = copied(value);
  for (const { within } of value) {
    within.value = 2;
  }
  expect(copy.every(({ within }) => within.value === 1)).toBe(true);
});

test("the objects of a long list are copied", () => {
  const list: unknown[] = Array.from({ length: 5_001 }, (_, index) => ({ email: `u${index}@example.com` }));
  list.push("ann", null, new Own(), ["text"]);
  const copy = copied(list);
  expect(copy).toEqual(list);
  expect(copy[0]).not.toBe(list[0]);
  expect(copy.at(-2)).toBe(list.at(-2));
});

test("a member called __proto__ is a member of the copy", () => {
  const copy = copied(JSON.parse('{"__proto__": {"value": 1}}') as object);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"value":1}}');
});
