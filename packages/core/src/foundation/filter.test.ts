import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { filterIssues, fitsFilter } from "./filter.ts";
import type { JsonObject, JsonValue } from "./json.ts";

const metadata = {
  priority: "high",
  count: 3,
  tags: ["meeting", "important"],
  nothing: null,
  sender: { domain: "example.com", "sub.key": 1 },
  "a.b": "dotted",
  a: { b: "nested" },
};

const jsonValue = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonValue);
const key = fc.constantFrom("a", "b", "c", "a.b", "__proto__", "toString", "ä");
const jsonObject = fc.dictionary(key, jsonValue, { maxKeys: 5 }).map((value) => JSON.parse(JSON.stringify(value)) as JsonObject);

describe("fitsFilter", () => {
  const fitting: readonly JsonObject[] = [
    {},
    { priority: "high" },
    { priority: "high", count: 3 },
    { priority: { operator: "equals", value: "high" } },
    { priority: { operator: "eq", value: "high" } },
    { sender: { "sub.key": 1, domain: "example.com" } },
    { tags: ["meeting", "important"] },
    { nothing: null },
    { priority: { operator: "not_equals", value: "low" } },
    { missing: { operator: "not_equals", value: "low" } },
    { priority: { operator: "in", value: ["high", "medium"] } },
    { priority: { operator: "not_in", value: ["low"] } },
    { missing: { operator: "not_in", value: ["low"] } },
    { priority: { operator: "contains", value: "ig" } },
    { tags: { operator: "contains", value: "meeting" } },
    { nothing: { operator: "exists" } },
    { nothing: { operator: "exists", value: true } },
    { missing: { operator: "exists", value: false } },
    { count: { operator: "gt", value: 2 } },
    { count: { operator: "gte", value: 3 } },
    { count: { operator: "lt", value: 3.5 } },
    { count: { operator: "lte", value: 3 } },
    { priority: { operator: "gt", value: "abc" } },
    { "sender.domain": "example.com" },
    { "a.b": "dotted" },
  ];
  test.each(fitting.map((filter) => [JSON.stringify(filter), filter] as const))("%s fits", (_, filter) => {
    expect(filterIssues(filter, [])).toEqual([]);
    expect(fitsFilter(filter, metadata)).toBe(true);
  });

  const unfitting: readonly JsonObject[] = [
    { priority: "High" },
    { priority: "high", count: 4 },
    { count: "3" },
    { missing: null },
    { missing: { operator: "equals", value: null } },
    { missing: { operator: "in", value: [null] } },
    { missing: { operator: "contains", value: "" } },
    { missing: { operator: "gt", value: 0 } },
    { missing: { operator: "exists" } },
    { nothing: { operator: "exists", value: false } },
    { priority: { operator: "not_equals", value: "high" } },
    { priority: { operator: "not_in", value: ["high"] } },
    { tags: { operator: "contains", value: "meet" } },
    { count: { operator: "contains", value: 3 } },
    { count: { operator: "gt", value: "2" } },
    { nothing: { operator: "lte", value: 0 } },
    { tags: ["important", "meeting"] },
    { "tags.0": "meeting" },
    { "priority.length": 4 },
    { toString: { operator: "exists" } },
    { "sender.domain.x": "example.com" },
  ];
  test.each(unfitting.map((filter) => [JSON.stringify(filter), filter] as const))("%s does not fit", (_, filter) => {
    expect(filterIssues(filter, [])).toEqual([]);
    expect(fitsFilter(filter, metadata)).toBe(false);
  });

  test("any metadata fits the filter made of it, member by member", () => {
    fc.assert(
      fc.property(jsonObject, (data) => {
        const filter = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, { operator: "equals", value }]));
        expect(fitsFilter(filter, data)).toBe(true);
      }),
    );
  });

  test("each operator and its opposite never agree, whatever the metadata", () => {
    const opposites = [
      ["equals", "not_equals"],
      ["in", "not_in"],
    ];
    fc.assert(
      fc.property(jsonObject, key, fc.array(jsonValue, { maxLength: 3 }), (data, name, list) => {
        for (const [operator = "", opposite = ""] of opposites) {
          const value = operator === "in" ? list : (list[0] ?? null);
          const fits = fitsFilter({ [name]: { operator, value } }, data);
          expect(fitsFilter({ [name]: { operator: opposite, value } }, data)).toBe(!fits);
        }
        const exists = fitsFilter({ [name]: { operator: "exists" } }, data);
        expect(fitsFilter({ [name]: { operator: "exists", value: false } }, data)).toBe(!exists);
      }),
    );
  });

  test("`in` is `equals` of any, and two conditions hold where both hold", () => {
    fc.assert(
      fc.property(jsonObject, key, key, fc.array(jsonValue, { maxLength: 3 }), (data, first, second, list) => {
        const isIn = { [first]: { operator: "in", value: list } };
        expect(fitsFilter(isIn, data)).toBe(list.some((value) => fitsFilter({ [first]: { operator: "eq", value } }, data)));
        fc.pre(first !== second);
        const other = { [second]: { operator: "exists" } };
        expect(fitsFilter({ ...isIn, ...other }, data)).toBe(fitsFilter(isIn, data) && fitsFilter(other, data));
      }),
    );
  });

  test("numbers and texts are ordered as JavaScript orders them, and nothing else is", () => {
    fc.assert(
      fc.property(jsonValue, fc.oneof(fc.double({ noNaN: true }), fc.string()), (actual, value) => {
        const fits = (operator: string) => fitsFilter({ x: { operator, value } }, { x: actual });
        const comparable = typeof actual === typeof value && (typeof actual === "number" || typeof actual === "string");
        const [left, right] = [actual as number, value as number];
        expect([fits("gt"), fits("gte"), fits("lt"), fits("lte")]).toEqual(
          comparable ? [left > right, left >= right, left < right, left <= right] : [false, false, false, false],
        );
      }),
    );
  });
});

describe("filterIssues", () => {
  const invalid: readonly (readonly [JsonObject, string])[] = [
    [{ a: { operator: "like", value: "x" } }, "metadata_filter.a.operator"],
    [{ a: { operator: 5, value: "x" } }, "metadata_filter.a.operator"],
    [{ a: { operator: { toString: false }, value: "x" } }, "metadata_filter.a.operator"],
    [{ a: { operator: "constructor", value: "x" } }, "metadata_filter.a.operator"],
    [{ a: { operator: "in", value: "x" } }, "metadata_filter.a.value"],
    [{ a: { operator: "gt", value: true } }, "metadata_filter.a.value"],
    [{ a: { operator: "equals" } }, "metadata_filter.a.value"],
    [{ a: { operator: "exists", value: "yes" } }, "metadata_filter.a.value"],
    [{ a: { operator: "equals", value: 1, not: true } }, "metadata_filter.a.not"],
    [Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`k${index}`, 1])), "metadata_filter"],
  ];
  test.each(invalid.map(([filter, path]) => [path, JSON.stringify(filter).slice(0, 60), filter] as const))(
    "%s of %s",
    (path, _, filter) => {
      expect(filterIssues(filter, ["metadata_filter"]).map((issue) => issue.path.join("."))).toEqual([path]);
      expect(fitsFilter(filter, { a: "x" })).toBe(false);
    },
  );

  test("any JSON is checked as a filter, and evaluating it does not throw", () => {
    const condition = fc.record({ operator: jsonValue, value: jsonValue }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.dictionary(key, fc.oneof(jsonValue, condition)), jsonObject, (filter, data) => {
        expect(Array.isArray(filterIssues(filter as JsonObject, []))).toBe(true);
        expect(typeof fitsFilter(filter as JsonObject, data)).toBe("boolean");
      }),
    );
  });
});
