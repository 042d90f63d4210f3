import { expect, test } from "vitest";
import { originProblem } from "./origins.ts";

const HOST = "app.example.com";
const fromFunction = { contracts: [], auth: () => null };
const listed = { contracts: [], allowedOrigins: ["https://app.example.com"] };

test.each([
  ["ready credentials, any page", { contracts: [] }, { origin: "https://evil.example" }, true],
  ["a function, the host itself", fromFunction, { origin: "https://app.example.com" }, true],
  ["a function, the host itself in capitals", fromFunction, { origin: "https://APP.example.com" }, true],
  ["a function, another page", fromFunction, { origin: "https://evil.example" }, false],
  ["a function, another port", fromFunction, { origin: "https://app.example.com:8443" }, false],
  ["a function, a sandboxed frame", fromFunction, { origin: "null" }, false],
  ["a function, no browser", fromFunction, {}, true],
  ["a function, a cookie without a page", fromFunction, { cookie: "session=1" }, false],
  ["a list, a listed page", listed, { origin: "https://app.example.com" }, true],
  ["a list, another page", listed, { origin: "https://app.example.co" }, false],
  ["a list, no browser", listed, {}, true],
  ["a list, a cookie without a page", listed, { cookie: "session=1" }, false],
] as const)("%s", (_, options, headers, mayOpen) => {
  const request = { method: "GET", url: "/", headers: { host: HOST, ...headers }, body: async () => new Uint8Array() };
  expect(originProblem(options, request) === null).toBe(mayOpen);
});
