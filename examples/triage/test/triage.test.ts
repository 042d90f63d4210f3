import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const execute = promisify(execFile);
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

async function run(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const { stdout } = await execute(process.execPath, ["--conditions=@belfry/source", MAIN], { env: { PATH, NODE_COMPILE_CACHE, ...env } });
  return stdout;
}

test("an event becomes an inbox item if its handler says so", async () => {
  expect(await run()).toBe("URGENT: The disk is full (db-1)\n");
});

test("a model over HTTP is asked only about events that fit the filter", async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    asked.push(body);
    const content = body.includes("half empty") ? "URGENT: db-2 loses data" : "can wait";
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        id: "1",
        object: "chat.completion",
        created: 1,
        model: "test",
        choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    expect(await run({ OPENAI_API_KEY: "key", OPENAI_BASE_URL: baseURL })).toBe("URGENT: db-2 loses data (db-2)\n");
  } finally {
    server.close();
  }
  expect(asked).toHaveLength(2);
});
