import { expect, test } from "vitest";
import { keptExchange } from "../src/index.ts";

const answer = (body: string, headers = {}) =>
  ({ ok: true, status: 200, headers, body: new TextEncoder().encode(body), isCut: false }) as const;

test("a request and its answer are kept without credentials", () => {
  const headers = {
    Authorization: "Bearer secret",
    "X-Tenant-Key": "secret",
    "Content-Type": "application/json",
    "webhook-signature": "v1,secret",
  };
  const request = { method: "POST", headers, body: '{"a":1}' } as const;
  const result = answer("fine", { "content-type": "text/plain", "set-cookie": "secret", "x-api-key": "secret", server: "nginx" });
  expect(keptExchange("https://user:secret@example.com/hook?token=secret&a=secret#secret", request, result)).toEqual({
    request: {
      method: "POST",
      url: "https://example.com/hook?token=***&a=***",
      headers: { authorization: "***", "x-tenant-key": "***", "content-type": "application/json", "webhook-signature": "***" },
      body: '{"a":1}',
      isCut: false,
    },
    response: {
      status: 200,
      headers: { "content-type": "text/plain", "set-cookie": "***", "x-api-key": "***", server: "nginx" },
      body: "fine",
      isCut: false,
    },
  });
});

test("without an answer there is none", () => {
  const failed = { ok: false, code: "timeout", transient: true, error: "late" } as const;
  expect(keptExchange("https://example.com/", { method: "POST" }, failed).response).toBeNull();
});
