import { expect, test } from "vitest";
import { keptExchange } from "./kept-exchange.ts";

const none = { headers: {}, body: "", isCut: false };

test("long and broken parts are cut to what a database keeps", () => {
  const headers = Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`h${index}`, "v".repeat(900)]));
  const body = `${"x".repeat(4_095)}\u{1F600}`;
  const kept = keptExchange({
    request: { method: "POST", url: "u".repeat(9_000), headers, body },
    response: { status: 200, body: "a\u0000b" },
  });
  expect([kept?.request.url.length, kept?.request.body.length, kept?.request.isCut]).toEqual([2_048, 4_096, true]);
  expect(kept?.request.body.isWellFormed()).toBe(true);
  expect([Object.keys(kept?.request.headers ?? {}).length, kept?.request.headers.h0?.length]).toEqual([50, 500]);
  expect(kept?.response).toEqual({ status: 200, ...none, body: "ab" });
});

test("a channel may say anything", () => {
  for (const given of [undefined, null, 7, "x", {}, { request: null }, { request: { method: 1, url: "u" } }]) {
    expect(keptExchange(given)).toBeNull();
  }
  const odd = { request: { method: "GET", url: "u", headers: [1, "two"], body: 5, isCut: "yes" }, response: { status: "200" } };
  expect(keptExchange(odd)).toEqual({ request: { method: "GET", url: "u", ...none, headers: { 1: "two" } }, response: null });
});
