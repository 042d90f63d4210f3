import { describe, expect, it } from "vitest";
import { type OpenAIOptions, openai } from "../src/index.ts";

const model = "test-model";

describe("options", () => {
  it.each<[string, Partial<OpenAIOptions>, string]>([
    ["an empty model", { model: " " }, "model"],
    ["no URL", { baseURL: "api.example.com/v1" }, "baseURL"],
    ["another protocol", { baseURL: "ftp://api.example.com" }, "baseURL"],
    ["a password in the URL", { baseURL: "https://me:sekret-word@api.example.com/v1" }, "baseURL"],
    ["a query in the URL", { baseURL: "https://api.example.com/v1?key=sekret-word" }, "baseURL"],
    ["a key with a line break", { apiKey: "sekret-word\nx: y" }, "apiKey"],
    ["a key that ends in a line break", { apiKey: "sekret-word\n" }, "apiKey"],
    ["a key that is no ASCII", { apiKey: "sekret-word-„" }, "apiKey"],
    ["an empty key", { apiKey: "" }, "apiKey"],
    ["a header with a line break", { headers: { "x-key": "sekret-word\r\nx: y" } }, "x-key"],
    ["a header without a proper name", { headers: { "x key": "sekret-word" } }, "x key"],
    ["a model among the parameters", { parameters: { model: "other" } }, "parameters"],
    ["messages among the parameters", { parameters: { messages: [] } }, "parameters"],
    ["streaming", { parameters: { stream: true } }, "parameters"],
    ["no time", { timeoutMs: 0 }, "timeoutMs"],
    ["more time than fetch waits", { timeoutMs: 300_001 }, "timeoutMs"],
    ["half a request at once", { concurrency: 0.5 }, "concurrency"],
    ["a retry at once", { retryDelaysMs: [1_000, 0] }, "retryDelaysMs"],
    ["a limit that is no number", { maxContentLength: Number.NaN }, "maxContentLength"],
    ["no metadata", { maxMetadataLength: 0 }, "maxMetadataLength"],
    ["a limitless answer", { maxAnswerLength: Number.POSITIVE_INFINITY }, "maxAnswerLength"],
  ])("with %s are refused, without a secret in the message", (_, options, named) => {
    const create = () => openai({ model, ...options });
    expect(create).toThrow(expect.objectContaining({ name: "BelfryError", code: "CONFIGURATION" }));
    expect(create).toThrow(named);
    expect(create).not.toThrow("sekret-word");
  });

  it("are not changed", () => {
    const options = Object.freeze({ model, headers: Object.freeze({ a: "b" }), parameters: Object.freeze({ temperature: 0 }) });
    expect(openai(options).name).toBe("openai");
  });
});
