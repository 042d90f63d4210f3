import { expect, test, vi } from "vitest";
import { BelfryError } from "./errors.ts";
import { validationError } from "./issue-list.ts";

test("an error of another copy of this package is a BelfryError, too", async () => {
  vi.resetModules();
  const copy = await import("./errors.ts");
  expect(copy.BelfryError).not.toBe(BelfryError);
  expect(new copy.BelfryError("NOT_FOUND", "gone")).toBeInstanceOf(BelfryError);
  expect(new Error("gone")).not.toBeInstanceOf(BelfryError);
  expect({ name: "BelfryError", code: "NOT_FOUND" }).not.toBeInstanceOf(BelfryError);
});

test("a validation error names every issue in its message", () => {
  const error = validationError([
    { path: ["data", "id"], message: "expected a number", type: "value_error" },
    { path: [], message: "expected an object", type: "dict_type" },
  ]);
  expect([error.code, error.message, error.issues.length]).toEqual([
    "VALIDATION_ERROR",
    "data.id: expected a number; input: expected an object",
    2,
  ]);
});

test("an error has the status of its code, which frameworks may set", () => {
  const error: { status: number } = new BelfryError("VALIDATION_ERROR", "wrong");
  expect([error.status, new BelfryError("NOT_FOUND", "gone").status, new BelfryError("CONFIGURATION", "wrong").status]).toEqual([
    422, 404, 500,
  ]);
  error.status = 400;
  expect(error.status).toBe(400);
});

test("only an unreachable storage is worth another try", () => {
  expect(new BelfryError("STORAGE_UNAVAILABLE", "busy").retryable).toBe(true);
  expect(new BelfryError("STORAGE_FAILED", "broken").retryable).toBe(false);
});
