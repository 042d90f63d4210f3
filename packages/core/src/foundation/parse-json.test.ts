import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJsonObject } from "./parse-json.ts";

function nested(depth: number): object {
  let value: object = {};
  for (let level = 0; level < depth; level += 1) {
    value = { a: value };
  }
  return value;
}

describe("parseJsonObject", () => {
  test("any JSON object is copied as JSON would write and read it", () => {
    const json = fc.dictionary(fc.string(), fc.jsonValue({ stringUnit: "grapheme" }));
    fc.assert(
      fc.property(json, (value) => {
        const result = parseJsonObject(value, ["data"]);
        if ("value" in result) {
          expect(JSON.stringify(result.value)).toBe(JSON.stringify(value));
          expect(result.value).not.toBe(value);
        } else {
          expect(JSON.stringify(value)).toMatch(/\\u0000|\\ud[89a-f]/);
        }
      }),
    );
  });

  test("values that JSON writes in another form are stored in that form", () => {
    const at = new Date(0);
    expect(parseJsonObject({ at, gone: undefined, list: [undefined, 1], zero: -0 }, ["data"])).toEqual({
      value: { at: "1970-01-01T00:00:00.000Z", list: [null, 1], zero: 0 },
    });
  });

  test("an instance is refused by its name; one with members, or with a form of its own, is stored as JSON writes it", () => {
    class Point {
      x = 1;
    }
    const shownOf = (value: unknown) => {
      const result = parseJsonObject(value, ["data"]);
      return "issues" in result ? result.issues.error().issues.map(({ path, message }) => [path.join("."), message]) : result.value;
    };
    expect(shownOf(new Date(0))).toEqual([["data", "expected a JSON object, got an instance of Date, which JSON has as string"]]);
    expect(shownOf({ when: new Map() })).toEqual([["data.when", "an instance of Map has no form in JSON"]]);
    expect(shownOf({ at: new Point(), own: { toJSON: () => ({ y: 2 }) } })).toEqual({ at: { x: 1 }, own: { y: 2 } });
    expect(shownOf({ big: 2 ** 53 + 1, id: "9007199254740993" })).toEqual({ big: 9_007_199_254_740_992, id: "9007199254740993" });
  });

  test("a member called __proto__ is plain data", () => {
    const result = parseJsonObject(JSON.parse('{"__proto__":{"admin":true}}'), ["data"]);
    expect(JSON.stringify("value" in result && result.value)).toBe('{"__proto__":{"admin":true}}');
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  test.each([
    ["an array", [], "dict_type"],
    ["null", null, "dict_type"],
    ["a text", "x", "dict_type"],
    ["an infinite number", { a: Number.POSITIVE_INFINITY }, "json_type"],
    ["a bigint", { a: 1n }, "json_type"],
    ["a function", { a: () => 1 }, "json_type"],
    ["a Date", new Date(0), "dict_type"],
    ["an instance that JSON has as a list", { toJSON: () => [] }, "dict_type"],
    ["a Map", new Map([["a", 1]]), "json_type"],
    ["a Map inside", { a: new Map([["a", 1]]) }, "json_type"],
    ["a Set", { a: [new Set([1])] }, "json_type"],
    ["a Promise", { a: Promise.resolve(1) }, "json_type"],
    ["a NUL in a text", { a: "\u0000" }, "string_nul"],
    ["a NUL in a name", { "a\u0000": 1 }, "string_nul"],
    ["half a surrogate pair", { a: ["\udc00"] }, "string_unicode"],
    ["5,000 levels", nested(5_000), "too_deep"],
    ["more than 256 KiB", { a: "x".repeat(256 * 1024) }, "too_long"],
  ])("%s is refused", (_, value, type) => {
    const result = parseJsonObject(value, ["data"]);
    expect("issues" in result && result.issues.error().issues).toMatchObject([{ type }]);
  });

  test("60 levels are fine", () => {
    expect(parseJsonObject(nested(60), ["data"])).toHaveProperty("value");
  });

  test("an object with tens of thousands of wrong names is looked at until the list of issues is full", () => {
    const read = { members: 0 };
    const value = counted(60_000, (at) => `\u0000${at}`, read);
    const result = parseJsonObject(value, ["data"]);
    const issues = "issues" in result ? result.issues.error().issues : [];
    expect(issues).toHaveLength(20);
    expect(issues.at(-1)?.message).toMatch(/\(and more issues\)$/);
    expect(read.members).toBeLessThan(30);
  });

  test("an object that is far too long is copied up to the limit", () => {
    const read = { members: 0 };
    const result = parseJsonObject({ long: counted(60_000, (at) => `a long name ${at}`, read) }, ["data"]);
    expect("issues" in result && result.issues.error().message).toBe("data: must be at most 262144 bytes as JSON, is much longer");
    expect(read.members).toBeLessThan(20_000);
  });

  test("an object of the longest length is copied, and one byte more is refused with its length", () => {
    const longest = { a: [1, "b", {}, [], null, true], c: "x".repeat(256 * 1024 - 36) };
    expect(JSON.stringify(longest)).toHaveLength(256 * 1024);
    expect(parseJsonObject(longest, ["data"])).toEqual({ value: longest });
    const result = parseJsonObject({ ...longest, c: `${longest.c}x` }, ["data"]);
    expect("issues" in result && result.issues.error().message).toBe("data: must be at most 262144 bytes as JSON, is 262145");
  });
});

/** An object with `count` members, which notes how many of them are read. */
function counted(count: number, nameOf: (at: number) => string, read: { members: number }): object {
  const get = () => {
    read.members += 1;
    return 1;
  };
  return Object.defineProperties({}, Object.fromEntries(Array.from({ length: count }, (_, at) => [nameOf(at), { get, enumerable: true }])));
}
