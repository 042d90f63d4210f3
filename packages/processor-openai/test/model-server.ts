import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** The received body of a request for a chat completion. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [parameter: string]: unknown;
}

/** One received request. */
export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: ChatRequest;
}

/** An OpenAI-compatible server on 127.0.0.1, and the requests it got. */
export interface ModelServer {
  readonly baseURL: string;
  readonly received: Received[];
  /** Resolves when a client has closed a connection. */
  readonly disconnected: Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts a server that answers with `answer`, by default with a completion that says `work`. */
export async function modelServer(answer: (response: ServerResponse) => void = say("work")): Promise<ModelServer> {
  const received: Received[] = [];
  const open = new Set<Socket>();
  const disconnected = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
    }
    const body = JSON.parse(Buffer.concat(chunks).toString() || "null") as ChatRequest;
    received.push({ method: request.method, path: request.url, headers: request.headers, body });
    answer(response);
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => {
      open.delete(socket);
      disconnected.resolve();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    received,
    disconnected: disconnected.promise,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      for (const socket of open) {
        socket.destroy();
      }
      await closed;
    },
  };
}

/** Answers with a completion; `changes` replace some of its members. */
export function say(content: string | null, changes: Readonly<Record<string, unknown>> = {}): (response: ServerResponse) => void {
  const completion = {
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_767_225_600,
    model: "test-model-2026-01-01",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: 120, completion_tokens: 7, total_tokens: 127 },
    ...changes,
  };
  return json(200, completion);
}

/** Answers with any status and JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): (response: ServerResponse) => void {
  return (response) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** Answers with an error as OpenAI words it. */
export function refuse(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
  return json(status, { error: { message, type: "invalid_request_error", param: null, code: null } }, headers);
}
