import { expect, test } from "vitest";
import { belowPrefix, encodedPrefix } from "./mount-path.ts";

test.each([
  ["", ""],
  ["/", ""],
  ["/x", "/x"],
  ["/x/y/", "/x/y"],
  ["/ü b", "/%C3%BC%20b"],
])("the prefix %j stands in a request as %j", (basePath, prefix) => {
  expect(encodedPrefix(basePath)).toBe(prefix);
});

test.each([
  ["/api?a=/b", "", "/api?a=/b"],
  ["/x/api?a=1", "/x", "/api?a=1"],
  ["/x", "/x", null],
  ["/xy/api", "/x", null],
  ["/api", "/x", null],
])("the path %j below the prefix %j is %j", (path, prefix, below) => {
  expect(belowPrefix(path, prefix)).toBe(below);
});
