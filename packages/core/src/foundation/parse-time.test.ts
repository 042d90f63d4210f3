import { expect, test } from "vitest";
import { parsedTime, timeIssue } from "./parse-time.ts";

test("a time is a Date or a text with a time zone, of the years 1970 to 9999, and nothing else", () => {
  const at = "2030-01-01T01:00:00+01:00";
  expect([timeIssue(at, "at"), parsedTime(at), parsedTime(null)]).toEqual([null, new Date(Date.UTC(2030, 0, 1)), null]);
  for (const wrong of ["2030-01-01", "2030-01-01T00:00:00", "tomorrow", "+275760-09-13T00:00:00Z", new Date(Number.NaN), 5, {}, null]) {
    expect(timeIssue(wrong, "at")).toMatchObject({ path: ["at"], type: "datetime" });
  }
  expect(timeIssue(new Date(Number.NaN), "at")?.message).toMatch(/, is an invalid Date$/);
  expect(timeIssue(new Date(-1), "at")?.message).toMatch(/, is 1969-12-31T23:59:59.999Z$/);
});
