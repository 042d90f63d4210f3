import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import type { ProcessingOutcome } from "@belfry/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openai } from "../src/index.ts";
import { json, refuse, say } from "./model-server.ts";
import { runningServers } from "./running-servers.ts";
import { taskOf } from "./task.ts";

const apiKey = "sk-test-0123456789abcdef";
const NOW = Date.parse("2026-01-01T12:00:00Z");
const never = new AbortController().signal;
const start = runningServers();

/** The outcome of a task if the provider answers like this. */
async function outcomeOf(answer: (response: ServerResponse) => void, options = {}): Promise<ProcessingOutcome> {
  const { baseURL } = await start(answer);
  return openai({ baseURL, apiKey, model: "test-model", now: () => NOW, ...options }).process(taskOf(), never);
}

/** A whole completion with only this choice. */
const choice = (message: object, finishReason: string) => say(null, { choices: [{ index: 0, message, finish_reason: finishReason }] });

describe("an answer", () => {
  it("is the text, with the provider's token counts and model", async () => {
    expect(await outcomeOf(say("work\n"))).toEqual({
      status: "completed",
      text: "work",
      usage: { inputTokens: 120, outputTokens: 7 },
      model: "test-model-2026-01-01",
    });
  });

  it.each([
    ["no usage", { usage: undefined }],
    ["null for usage", { usage: null }],
    ["a negative count", { usage: { prompt_tokens: -1, completion_tokens: 7 } }],
    ["a broken count", { usage: { prompt_tokens: 1.5, completion_tokens: 7 } }],
  ])("counts no tokens with %s", async (_, changes) => {
    const outcome = await outcomeOf(say("work", changes));
    expect(outcome).toMatchObject({ status: "completed", text: "work" });
    expect(outcome).not.toHaveProperty("usage");
  });

  it("is stored without characters that databases refuse", async () => {
    expect(await outcomeOf(say("a\u0000b\ud83dc"))).toMatchObject({ status: "completed", text: "ab\ufffdc" });
  });

  it("is cut between characters if it is too long", async () => {
    expect(await outcomeOf(say("x".repeat(200_000)))).toMatchObject({ text: `${"x".repeat(99_999)}…` });
    expect(await outcomeOf(say("ab🎐cd"), { maxAnswerLength: 4 })).toMatchObject({ text: "ab…" });
    expect(await outcomeOf(say("abcd"), { maxAnswerLength: 4 })).toMatchObject({ text: "abcd" });
  });

  it.each([
    ["an empty text", say("")],
    ["blanks", say(" \n\t ")],
    ["no text", say(null)],
    ["nothing but reasoning", choice({ role: "assistant", content: "", reasoning_content: "hm" }, "length")],
    [
      "a tool call, which was not asked for",
      choice(
        { role: "assistant", content: null, tool_calls: [{ id: "1", type: "function", function: { name: "sh", arguments: "{}" } }] },
        "tool_calls",
      ),
    ],
  ])("that is %s is a failure to be tried again", async (_, answer) => {
    const outcome = await outcomeOf(answer);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: expect.stringContaining("empty answer") });
  });

  it.each([
    ["filtered", choice({ role: "assistant", content: "part" }, "content_filter")],
    ["a refusal", choice({ role: "assistant", content: null, refusal: "I cannot help with that." }, "stop")],
  ])("that is %s is a failure for good", async (_, answer) => {
    expect(await outcomeOf(answer)).toEqual({
      status: "failed",
      transient: false,
      error: "the model, or its provider's filter, refused to answer",
    });
  });

  it.each([
    ["HTML", (response: ServerResponse) => response.writeHead(200, { "content-type": "text/html" }).end("<html>busy</html>")],
    ["cut short", (response: ServerResponse) => response.writeHead(200, { "content-type": "application/json" }).end('{"choices": [{"mess')],
    ["of another form", json(200, { result: "work" })],
    ["without a choice", say("", { choices: [] })],
    ["nothing at all", (response: ServerResponse) => response.writeHead(200).end()],
    ["204", (response: ServerResponse) => response.writeHead(204).end()],
  ])("that is %s is a failure to be tried again, and is not quoted", async (_, answer) => {
    const outcome = await outcomeOf(answer);
    expect(outcome).toMatchObject({ status: "failed", transient: true });
    expect(JSON.stringify(outcome)).not.toMatch(/busy|mess|result/);
  });

  it("that is an error under the status 200 is a failure in the provider's words", async () => {
    expect(await outcomeOf(refuse(200, "Upstream overloaded"))).toMatchObject({
      status: "failed",
      transient: true,
      error: "the model's provider answered 200 with an error: Upstream overloaded",
    });
  });

  it("that does not end is broken off", async () => {
    let isClosed = false;
    const outcome = await outcomeOf((response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = Buffer.alloc(65_536, "x");
      const write = () => {
        while (!isClosed && response.write(chunk)) {}
      };
      response.on("drain", write).on("close", () => {
        isClosed = true;
      });
      write();
    });
    expect(outcome).toEqual({
      status: "failed",
      transient: false,
      error: "the model's provider: the answer is larger than 4194304 bytes",
    });
    await vi.waitFor(() => expect(isClosed).toBe(true));
  });

  it("that unpacks to more than the limit is broken off", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1_024 * 1_024, " "));
    const outcome = await outcomeOf((response) =>
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(bomb),
    );
    expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringContaining("larger than") });
  });
});

describe("a refusal", () => {
  it.each([400, 404, 405, 413, 422, 451])("of status %i is for good, in the provider's words", async (status) => {
    const outcome = await outcomeOf(refuse(status, "Unsupported parameter:\r\n'top_k'", { "retry-after": "3" }));
    expect(outcome).toEqual({
      status: "failed",
      transient: false,
      error: `the model's provider answered ${status}: Unsupported parameter: 'top_k'`,
    });
  });

  it.each([408, 409, 425, 429, 500, 502, 503, 504, 529])("of status %i is tried again, once, by the engine", async (status) => {
    const server = await start(refuse(status, "Try later"));
    const outcome = await openai({ baseURL: server.baseURL, model: "test-model" }).process(taskOf(), never);
    expect(outcome).toEqual({ status: "failed", transient: true, error: `the model's provider answered ${status}: Try later` });
    expect(server.received).toHaveLength(1);
  });

  it.each([
    ["seconds", { "retry-after": "20" }, 20_000],
    ["parts of seconds", { "retry-after": "0.25" }, 250],
    ["milliseconds", { "retry-after-ms": "1500", "retry-after": "9" }, 1_500],
    ["a date", { "retry-after": "Thu, 01 Jan 2026 12:01:00 GMT" }, 60_000],
    ["a date that has passed", { "retry-after": "Thu, 01 Jan 2026 11:00:00 GMT" }, 0],
  ])("asks to wait in %s", async (_, headers, retryAfterMs) => {
    expect(await outcomeOf(refuse(429, "Rate limit", headers))).toMatchObject({ transient: true, retryAfterMs });
    expect(await outcomeOf(refuse(503, "Overloaded", headers))).toMatchObject({ transient: true, retryAfterMs });
  });

  it.each(["soon", "-5", "", "1e9", "99999999999999"])("with the invalid wait %j asks for no wait", async (value) => {
    expect(await outcomeOf(refuse(429, "Rate limit", { "retry-after": value }))).not.toHaveProperty("retryAfterMs");
  });

  it.each([301, 302, 307, 308])("is also a redirect of status %i, which is not followed", async (status) => {
    const inside = await start();
    const outcome = await outcomeOf((response) => response.writeHead(status, { location: `${inside.baseURL}/chat/completions` }).end());
    expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringContaining("redirects are not followed") });
    expect(inside.received).toEqual([]);
  });

  it("with a very long message is cut", async () => {
    const outcome = await outcomeOf(refuse(400, `${"very ".repeat(10_000)}long`));
    expect(outcome.status === "failed" && outcome.error.length).toBeLessThan(600);
  });
});

describe("no answer", () => {
  it("in time is a transient failure, and the connection is closed", async () => {
    const server = await start(() => undefined);
    const outcome = await openai({ baseURL: server.baseURL, model: "test-model", timeoutMs: 50 }).process(taskOf(), never);
    expect(outcome).toEqual({ status: "failed", transient: true, error: "the model gave no answer within 50 ms" });
    await server.disconnected;
  });

  it("that ends in time is a failure too", async () => {
    const outcome = await outcomeOf((response) => response.writeHead(200, { "content-type": "application/json" }).write('{"choices":'), {
      timeoutMs: 50,
    });
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: "the model gave no answer within 50 ms" });
  });

  it("before the engine aborts is a transient failure, and the connection is closed", async () => {
    const controller = new AbortController();
    const server = await start(() => controller.abort());
    const outcome = await openai({ baseURL: server.baseURL, model: "test-model" }).process(taskOf(), controller.signal);
    expect(outcome).toEqual({ status: "failed", transient: true, error: "the attempt was broken off before the model had answered" });
    await server.disconnected;
  });

  it.each([
    ["breaks off before it answers", (response: ServerResponse) => response.destroy()],
    [
      "breaks off in its answer",
      (response: ServerResponse) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write("{", () => response.destroy());
      },
    ],
  ])("of a server that %s is tried again", async (_, answer) => {
    expect(await outcomeOf(answer)).toMatchObject({ status: "failed", transient: true });
  });

  it("from an unreachable server is tried again, and the error hides its address", async () => {
    const { baseURL, close } = await start();
    await close();
    const outcome = await openai({ baseURL, model: "test-model" }).process(taskOf(), never);
    expect(outcome).toEqual({ status: "failed", transient: true, error: "the model's provider cannot be reached (ECONNREFUSED)" });
  });

  it("in valid HTTP is tried again", async () => {
    const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.6\r\n"));
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    const { port } = server.address() as { port: number };
    const outcome = await openai({ baseURL: `http://127.0.0.1:${port}`, model: "test-model" }).process(taskOf(), never);
    server.close();
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: expect.stringContaining("cannot be reached") });
  });
});

describe("a secret", () => {
  const warn = vi.spyOn(process, "emitWarning");
  const print = vi.spyOn(console, "error");

  beforeEach(() => {
    warn.mockClear();
    print.mockClear();
  });
  afterEach(() => {
    expect(warn).not.toHaveBeenCalled();
    expect(print).not.toHaveBeenCalled();
  });

  const headers = { "x-gateway-key": "gateway-secret-42" };

  it.each([200, 400, 401, 403, 404, 429, 500])("is not in the error of a provider that repeats it with status %i", async (status) => {
    const words = `Incorrect API key provided: ${apiKey} (${headers["x-gateway-key"]}), or ${apiKey.slice(0, 12)}****`;
    const outcome = await outcomeOf(refuse(status, status === 401 || status === 403 ? words : (words.split(", or")[0] ?? "")), { headers });
    expect(outcome.status).toBe("failed");
    expect(JSON.stringify(outcome)).not.toContain(apiKey.slice(0, 12));
    expect(JSON.stringify(outcome)).not.toContain("gateway-secret-42");
  });

  it("is not in an error without the provider's words either", async () => {
    const outcome = await outcomeOf((response) => response.writeHead(500, apiKey).end(`no JSON: ${apiKey}`));
    expect(outcome).toMatchObject({ status: "failed", error: "the model's provider answered 500: [redacted]" });
  });
});
