import { describe, expect, it } from "vitest";
import { openai } from "../src/index.ts";
import type { ChatRequest, ModelServer } from "./model-server.ts";
import { runningServers } from "./running-servers.ts";
import { taskOf } from "./task.ts";

const apiKey = "sk-test-0123456789abcdef";
const model = "test-model";
const signal = new AbortController().signal;

/** The body of the one request that the server got. */
function onlyRequest({ received }: ModelServer): ChatRequest {
  expect(received).toHaveLength(1);
  return received[0]?.body as ChatRequest;
}

describe("requests", () => {
  const start = runningServers();

  it("posts the prompt as the system message and the event as the user message", async () => {
    const server = await start();
    await openai({ baseURL: server.baseURL, apiKey, model }).process(taskOf(), signal);
    expect(server.received[0]).toMatchObject({
      method: "POST",
      path: "/v1/chat/completions",
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    });
    const { messages, ...rest } = onlyRequest(server);
    expect(rest).toEqual({ model });
    expect(messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(messages[0]?.content).toBe("Categorize this email into work, personal, or spam.");
    const [warning, ...event] = messages[1]?.content.split("\n") ?? [];
    const fence = event[1]?.slice(1, -1);
    expect(fence).toMatch(/^notification-[0-9a-f-]{36}$/);
    expect(warning).toContain(`between <${fence}> and </${fence}>`);
    expect(event).toEqual([
      "",
      `<${fence}>`,
      'source: "email-service"',
      'sender: "john@example.com"',
      'sender is known as: "John Doe"',
      "received at: 2026-01-01T12:00:00.000Z",
      'metadata: {"subject":"Meeting","priority":2,"labels":["a","b"]}',
      "content:",
      "Meeting at 3pm — „ünïcode“ 🎐",
      "Room 5",
      `</${fence}>`,
    ]);
  });

  it("says when the sender has no identity", async () => {
    const server = await start();
    await openai({ baseURL: server.baseURL, model }).process(taskOf({}, { identity: null }), signal);
    expect(onlyRequest(server).messages[1]?.content).toContain("\nsender is known as: nobody\n");
  });

  it("accepts a base URL that ends in slashes, sends no key without one, and sends the host's headers and parameters", async () => {
    const server = await start();
    const parameters = { temperature: 0, max_completion_tokens: 50, reasoning_effort: "low" };
    const options = { baseURL: `${server.baseURL}//`, model, headers: { "x-team": "inbox" }, parameters };
    await openai(options).process(taskOf(), signal);
    const [request] = server.received;
    expect(request?.path).toBe("/v1/chat/completions");
    expect(request?.headers.authorization).toBeUndefined();
    expect(request?.headers["x-team"]).toBe("inbox");
    expect(request?.body).toMatchObject({ model, ...parameters });
  });

  it("cuts long texts between characters, and tells the model so", async () => {
    const server = await start();
    const processor = openai({ baseURL: server.baseURL, model, maxContentLength: 4, maxMetadataLength: 10 });
    await processor.process(taskOf({ content: "abc🎐def", metadata: { key: "x".repeat(100) } }), signal);
    const lines = onlyRequest(server).messages[1]?.content.split("\n") ?? [];
    expect(lines.slice(7, 10)).toEqual([
      'metadata (the first 10 of 110 characters): {"key":"xx',
      "content (the first 4 of 8 characters):",
      "abc",
    ]);
  });

  it("cuts a content of a million characters at 100,000, metadata at 20,000 and names at 1,000", async () => {
    const server = await start();
    const long = "x".repeat(1_000_000);
    const task = taskOf({ content: long, source: long, sender: long, metadata: { long } }, { identity: { id: "1", name: long } });
    await openai({ baseURL: server.baseURL, model }).process(task, signal);
    const content = onlyRequest(server).messages[1]?.content ?? "";
    expect(content.match(/x/g)?.length).toBeGreaterThan(122_900);
    expect(content.length).toBeLessThan(124_000);
  });

  it("asks with another fence each time", async () => {
    const server = await start();
    const processor = openai({ baseURL: server.baseURL, model });
    await processor.process(taskOf(), signal);
    await processor.process(taskOf(), signal);
    const fences = server.received.map(({ body }) => body.messages[1]?.content.split("\n")[0]);
    expect(new Set(fences).size).toBe(2);
  });

  it("sends nothing once the attempt is aborted", async () => {
    const server = await start();
    const outcome = await openai({ baseURL: server.baseURL, model }).process(taskOf(), AbortSignal.abort());
    expect(outcome).toEqual({ status: "failed", transient: true, error: "the attempt was broken off before the model had answered" });
    expect(server.received).toEqual([]);
  });

  it("tells the engine its name, schedule, time-out and concurrency", () => {
    const retryDelaysMs = [2_000, 15_000, 60_000, 300_000];
    expect(openai({ model })).toMatchObject({ name: "openai", timeoutMs: 61_000, concurrency: 5, retryDelaysMs });
    expect(openai({ model, retryDelaysMs: [] }).retryDelaysMs).toEqual([]);
    expect(openai({ model, name: "local", timeoutMs: 9_000, concurrency: 1 })).toMatchObject({
      name: "local",
      timeoutMs: 10_000,
      concurrency: 1,
    });
  });
});
