import { describe, expect, test } from "vitest";
import { IssueList, validationError } from "./issue-list.ts";

describe("IssueList", () => {
  test("20 issues are kept; the last one says how many more there are", () => {
    const issues = new IssueList();
    for (let at = 0; at < 520_000; at += 1) {
      issues.add({ path: ["to", at], type: "string_type", message: "expected a string" });
    }
    const error = issues.error();
    expect(error.issues).toHaveLength(20);
    expect(error.issues[0]?.message).toBe("expected a string");
    expect(error.issues[19]?.message).toBe("expected a string (and 519980 more issues)");
    expect(error.message).toMatch(/; to\.19: expected a string \(and 519980 more issues\)$/);
  });

  test("an issue that is only counted is not built", () => {
    const issues = new IssueList();
    let made = 0;
    for (let at = 0; at < 1_000; at += 1) {
      issues.add(() => {
        made += 1;
        return { path: [at], type: "missing", message: "must be there" };
      });
    }
    expect([made, issues.error().issues.length]).toEqual([20, 20]);
  });

  test("long names and messages are cut, and all issues together are bounded", () => {
    const long = "\u0000".repeat(100_000);
    const path = Array.from({ length: 64 }, () => long);
    const error = validationError(Array.from({ length: 50 }, () => ({ path, type: "string_nul", message: long })));
    expect(JSON.stringify(error.issues).length).toBeLessThan(8_192);
    expect(error.issues.at(-1)?.message).toMatch(/\(and 49 more issues\)$/);
  });

  test("joined lists add up the issues that each only counted", () => {
    const nuls = new IssueList();
    for (let at = 0; at < 110_000; at += 1) {
      nuls.add({ path: ["meta", `k${at}`], type: "string_nul", message: "must not contain the NUL character (U+0000)" });
    }
    const issues = new IssueList();
    issues.add({ path: ["type"], type: "missing", message: "must be there" });
    issues.addList(nuls);
    expect(issues.error().issues.at(-1)?.message).toMatch(/\(and 109981 more issues\)$/);
  });
});
