import { expect, test } from "vitest";
import { BelfryError } from "../../foundation/errors.ts";
import { djangoFailure } from "./failure.ts";

const request = { method: "POST", url: "/notifications/bulk/", headers: {}, body: async () => new Uint8Array() };

test.each([
  [200, "Request was throttled. Expected available in 1 second.", "1"],
  [29_001, "Request was throttled. Expected available in 30 seconds.", "30"],
])("who has to wait for %i ms is told so in Django REST framework's words", (ms, detail, seconds) => {
  const error = new BelfryError("RATE_LIMITED", "Too many.", { details: { retry_after_ms: ms } });
  expect(djangoFailure({ error, request })).toEqual({ status: 429, json: { detail }, headers: { "retry-after": seconds } });
});

test("what the server could not do is not told in detail", () => {
  const error = new BelfryError("STORAGE_FAILED", "The table is gone.");
  expect(djangoFailure({ error, request })).toEqual({ status: 500, json: { detail: "A server error occurred." } });
});

test("a body that is left out has no data", () => {
  const error = new BelfryError("VALIDATION_ERROR", "x", { issues: [{ path: [], type: "missing", message: "Field required" }] });
  const errors = { non_field_errors: ["No data provided"] };
  expect(djangoFailure({ error, request, part: "body" })).toEqual({ status: 400, json: { ...errors, detail: "No data provided", errors } });
});
