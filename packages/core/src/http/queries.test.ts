import { expect, test } from "vitest";
import { z } from "zod";
import { Queries } from "./queries.ts";
import { defineRoute } from "./route.ts";

function routeThatCounts(isQueryRemembered: boolean) {
  const parsed: string[] = [];
  const query = z.object({ limit: z.string().refine((value) => parsed.push(value) > 0 && value !== "wrong") });
  const route = defineRoute("GET", "/x", {
    operationId: "x",
    summary: "x",
    query,
    isQueryRemembered,
    responses: {},
    handle: async () => ({ status: 200 }),
  });
  return { route, parsed };
}

test("the same query of a route is parsed once, if the route says so, and nobody can change what it gives", () => {
  const queries = new Queries();
  const { route, parsed } = routeThatCounts(true);
  const [first, again] = [queries.of(route, "/x?limit=1"), queries.of(route, "/x?limit=1")];
  expect([first, again, parsed]).toEqual([{ limit: "1" }, { limit: "1" }, ["1"]]);
  expect(Object.isFrozen(again)).toBe(true);
  const other = routeThatCounts(false);
  expect([queries.of(other.route, "/x?limit=1"), queries.of(other.route, "/x?limit=1"), other.parsed]).toEqual([
    { limit: "1" },
    { limit: "1" },
    ["1", "1"],
  ]);
});

test("the oldest of more than a hundred is forgotten, and neither a long nor a wrong one is kept", () => {
  const queries = new Queries();
  const { route, parsed } = routeThatCounts(true);
  for (let limit = 0; limit <= 100; limit += 1) {
    queries.of(route, `/x?limit=${limit}`);
  }
  parsed.length = 0;
  const long = "1".repeat(100);
  for (const value of ["100", "0", long, long]) {
    queries.of(route, `/x?limit=${value}`);
  }
  expect(parsed).toEqual(["0", long, long]);
  parsed.length = 0;
  for (const _ of [1, 2]) {
    expect(() => queries.of(route, "/x?limit=wrong")).toThrow(expect.objectContaining({ code: "VALIDATION_ERROR" }));
  }
  expect(parsed).toEqual(["wrong", "wrong"]);
});
