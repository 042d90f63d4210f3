import type { z } from "zod";
import type { Issue } from "../foundation/errors.ts";
import { IssueList } from "../foundation/issue-list.ts";
import type { RequestPart } from "./contract.ts";
import { RequestFailure } from "./request-failure.ts";

/** Checks one part of a request. Throws a failure with its issues. */
export function validate<Output>(schema: z.ZodType<Output> | undefined, value: unknown, part: RequestPart): Output | undefined {
  if (schema === undefined) {
    return undefined;
  }
  const result = schema.safeParse(value);
  if (result.success) {
    return result.data;
  }
  const issues = new IssueList();
  for (const issue of result.error.issues) {
    issues.add(() => toIssue(issue, value));
  }
  throw new RequestFailure(issues.error(), part);
}

function toIssue(issue: z.core.$ZodIssue, input: unknown): Issue {
  const path = issue.path.map((key) => (typeof key === "symbol" ? String(key) : key));
  const missing = issue.code === "invalid_type" && valueAt(input, path) === undefined;
  return { path, message: missing ? "Field required" : issue.message, type: missing ? "missing" : issueType(issue) };
}

/** Returns FastAPI's kind of error for an issue. Checks of Belfry's own parameters set it themselves. */
function issueType(issue: z.core.$ZodIssue): string {
  if (issue.code === "custom") {
    const type: unknown = issue.params?.type;
    return typeof type === "string" ? type : "value_error";
  }
  if (issue.code === "invalid_value") {
    return "enum";
  }
  if (issue.code === "invalid_type") {
    return issue.expected === "object" ? "model_attributes_type" : `${issue.expected}_type`;
  }
  return issue.code;
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}
