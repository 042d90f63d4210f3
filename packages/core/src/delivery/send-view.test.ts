import { expect, test } from "vitest";
import { sendFromJson } from "./read-sends.ts";

test("an answer that an older package kept gets the fields it lacks", () => {
  const kept = JSON.stringify({ id: "x", scheduledAt: null, createdAt: "2026-01-01T00:00:00.000Z", updatedAt: "2026-01-01T00:00:00.000Z" });
  expect(sendFromJson(kept)).toMatchObject({ priority: "normal", createdAt: new Date("2026-01-01T00:00:00.000Z") });
  expect(sendFromJson(JSON.stringify({ ...JSON.parse(kept), priority: "high" }))).toMatchObject({ priority: "high" });
  const words = { subject: "Hello", content: "Hi", meta: { a: 1 } };
  expect(sendFromJson(JSON.stringify({ ...JSON.parse(kept), ...words }))).toMatchObject({ title: "Hello", message: "Hi", data: { a: 1 } });
});
