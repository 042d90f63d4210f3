import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { HOSTS, type HostDatabase, hostDatabase } from "./host-database.ts";
import { type ServerProcess, startServer } from "./run-server.ts";

const KEY = "hub-key";
const HEADERS = { "x-api-key": KEY, "content-type": "application/json" };

/** An OpenAI-compatible server that does what an event's content says: it answers 500, or repeats its prompt. */
class Model {
  readonly requests: { readonly authorization: string | undefined; readonly messages: readonly { role: string; content: string }[] }[] = [];
  /** Whether it takes requests and never answers. */
  isSilent = false;
  #server: Server | undefined;

  async start(): Promise<string> {
    const server = createServer(async (request, response) => {
      const { messages } = JSON.parse(await text(request)) as (typeof this.requests)[number];
      this.requests.push({ authorization: request.headers.authorization, messages });
      response.setHeader("content-type", "application/json");
      if (this.isSilent) {
        return;
      }
      if (messages.some(({ content }) => content.includes("break the model"))) {
        response.statusCode = 500;
        response.end('{"error":{"message":"overloaded"}}');
        return;
      }
      const content = `answer to ${messages[0]?.content.split("\n")[0]}`;
      response.end(
        JSON.stringify({
          id: "1",
          object: "chat.completion",
          created: 1,
          model: "test",
          choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
          usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
        }),
      );
    });
    this.#server = server;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  }

  stop(): void {
    this.#server?.close();
    this.#server?.closeAllConnections();
  }
}

async function ask(url: string, path: string, json?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, { headers: HEADERS, ...(json && { method: "POST", body: JSON.stringify(json) }) });
  expect(response.status).toBeLessThan(300);
  return response.json();
}

async function push(url: string, content: string): Promise<string> {
  const event = { source_service: "email_service", sender_id: "user123", content, metadata: { priority: "high" } };
  return ((await ask(url, "/notifications/", event)) as { id: string }).id;
}

/** Opens a socket that follows the source of these tests, and collects its frames. */
async function subscriber(url: string): Promise<{ readonly frames: Record<string, unknown>[]; readonly socket: WebSocket }> {
  const frames: Record<string, unknown>[] = [];
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws?apiKey=${KEY}`);
  socket.on("message", (data) => frames.push(JSON.parse(String(data)) as Record<string, unknown>));
  await once(socket, "open");
  socket.send('{"action":"subscribe","source_service":"email_service"}');
  await vi.waitFor(() => expect(frames).toHaveLength(2));
  frames.length = 0;
  return { frames, socket };
}

async function settled(url: string, id: string): Promise<readonly Record<string, unknown>[]> {
  return vi.waitFor(
    async () => {
      const records = (await ask(url, `/notifications/${id}/processing`)) as readonly Record<string, unknown>[];
      expect(records.map(({ status }) => status === "COMPLETED" || status === "FAILED")).toEqual(records.map(() => true));
      return records;
    },
    { timeout: 50_000, interval: 50 },
  );
}

const handler = { source_service: "email_service", prompt: "Categorize this email.", metadata_filter: { priority: "high" } };

/** The short form has one framework and one database: of what a hub does, they change nothing that the other tests of the host do not see. */
const OF_FORM = HOSTS.filter(([, kind]) => process.env.BELFRY_LONG || kind === "postgres");

describe.each(OF_FORM)("the hub of the complete host on %s over %s", (framework, kind) => {
  const model = new Model();
  let baseURL: string;
  let database: HostDatabase;
  const running: ServerProcess[] = [];
  const start = async (more: Readonly<Record<string, string>> = {}) => {
    const server = await startServer({ FRAMEWORK: framework, DATABASE_URL: database.url, API_KEYS: `${KEY}=acme`, ...more });
    running.push(server);
    return server;
  };

  beforeAll(async () => {
    baseURL = await model.start();
  });
  afterAll(() => model.stop());
  beforeEach(async () => {
    database = await hostDatabase(kind);
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(({ child, stop }) => (child.exitCode === null ? stop() : null)));
    await database.drop();
  });

  test("asks the model, and a subscriber sees the notification and its result", async () => {
    const { url, output } = await start({ OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: "secret-of-the-model", OPENAI_MODEL: "m" });
    await ask(url, "/notification-handlers/", handler);
    const { frames, socket } = await subscriber(url);
    const id = await push(url, "Meeting tomorrow");
    expect(await settled(url, id)).toMatchObject([{ status: "COMPLETED", result: "answer to Categorize this email.", error: null }]);
    await vi.waitFor(() => expect(frames.map(({ type }) => type)).toEqual(["notification", "processing_result"]));
    socket.close();
    const request = model.requests.at(-1);
    expect(request?.authorization).toBe("Bearer secret-of-the-model");
    expect(request?.messages.map(({ role }) => role)).toEqual(["system", "user"]);
    expect(request?.messages[1]?.content).toContain("Meeting tomorrow");
    expect(output()).not.toMatch(/secret-of-the-model|hub-key/);
  });

  test.runIf(kind === "postgres")("a subscriber at one instance sees another instance's events, and the results of both", async () => {
    const settings = { OPENAI_BASE_URL: baseURL, OPENAI_MODEL: "m" };
    const [first, second] = [await start(settings), await start(settings)];
    await ask(first.url, "/notification-handlers/", handler);
    const { frames, socket } = await subscriber(second.url);
    const ids: string[] = [];
    for (let at = 0; at < 20; at += 1) {
      ids.push(await push(at % 2 === 0 ? first.url : second.url, `event ${at}`));
    }
    await vi.waitFor(() => expect(frames).toHaveLength(40), { timeout: 30_000 });
    for (const id of ids) {
      const own = frames.filter(({ notification_id }) => notification_id === id);
      expect(own.map(({ type }) => type)).toEqual(["notification", "processing_result"]);
    }
    socket.close();
  });

  test("a model that answers 500 is asked again, and then the record is FAILED", async () => {
    const { url } = await start({ OPENAI_BASE_URL: baseURL, OPENAI_MODEL: "m", RETRY_BASE_MS: "5" });
    await ask(url, "/notification-handlers/", handler);
    const before = model.requests.length;
    const id = await push(url, "break the model");
    expect(await settled(url, id)).toMatchObject([{ status: "FAILED", result: null, error: expect.stringContaining("500") }]);
    expect(model.requests.length - before).toBe(4);
  });

  test("on SIGTERM while the model is silent, it ends with 0, and the next process asks again", async () => {
    const asking = { OPENAI_BASE_URL: baseURL, OPENAI_MODEL: "m" };
    const first = await start(asking);
    await ask(first.url, "/notification-handlers/", handler);
    model.isSilent = true;
    const before = model.requests.length;
    const id = await push(first.url, "hello");
    await vi.waitFor(() => expect(model.requests.length).toBe(before + 1), { timeout: 20_000 });
    expect(await first.stop()).toBe(0);
    model.isSilent = false;
    const second = await start(asking);
    expect(await settled(second.url, id)).toMatchObject([{ status: "COMPLETED", result: "answer to Categorize this email." }]);
  });

  test("without a model, records are FAILED and say what is missing", async () => {
    const { url } = await start();
    await ask(url, "/notification-handlers/", handler);
    const id = await push(url, "hello");
    expect(await settled(url, id)).toMatchObject([{ status: "FAILED", error: expect.stringContaining("No processor is configured") }]);
  });
});
