import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { discord, slack, teams, telegram, whatsapp } from "./chat-protocols.ts";
import type { Protocol, ProviderBehaviour, ProviderMessage, ProviderReply, ProviderRequest } from "./protocol.ts";
import { sns, twilio, vonage } from "./sms-protocols.ts";

const PROTOCOLS: Readonly<Record<ProviderName, Protocol>> = { slack, discord, teams, telegram, whatsapp, twilio, vonage, sns };

/** A provider whose protocol a server can speak. */
export type ProviderName = "slack" | "discord" | "teams" | "telegram" | "whatsapp" | "twilio" | "vonage" | "sns";

/** Far more than a client reads. */
const OVERSIZED = "x".repeat(1_000_000);

/** A server on this machine that speaks a provider's protocol. */
export interface ProviderServer {
  /** Its address: the option `api` of a channel, beside `allowPrivate: true`. */
  readonly url: string;
  /** The address of a webhook, for providers that have them. */
  readonly webhook: string;
  /** The messages that it got, whatever it answered. */
  readonly received: readonly ProviderMessage[];
  /** How it answers from now on. @default "taking" */
  behaviour: ProviderBehaviour;
  /** How many connections are open. */
  connections(): number;
  /** Ends its connections, and closes it. */
  close(): Promise<void>;
}

/**
 * Starts a server that speaks a provider's protocol, for tests without an account and without a network.
 *
 * @example
 * ```ts
 * const server = await providerServer("twilio");
 * const sms = twilio({ accountSid, authToken, from, api: server.url, allowPrivate: true });
 * server.behaviour = "limited";
 * ```
 */
export async function providerServer(name: ProviderName): Promise<ProviderServer> {
  const protocol = PROTOCOLS[name];
  const received: ProviderMessage[] = [];
  const open = new Set<Socket>();
  const server = createServer((request, response) => {
    void readRequest(request).then((read) => {
      received.push({ ...read, to: protocol.recipientOf(read) });
      answer(response, replyOf(protocol, provider.behaviour, read));
    });
  });
  server.on("connection", (socket: Socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider: ProviderServer = {
    url,
    webhook: `${url}/webhooks/T00000000/B00000000/xyz`,
    received,
    behaviour: "taking",
    connections: () => open.size,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) {
          socket.destroy();
        }
      }),
  };
  return provider;
}

async function readRequest(request: IncomingMessage): Promise<ProviderRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString();
  const isJson = request.headers["content-type"]?.startsWith("application/json") === true;
  return {
    path: request.url ?? "",
    headers: request.headers,
    body: isJson ? JSON.parse(text) : Object.fromEntries(new URLSearchParams(text)),
  };
}

/** The reply to a request; null for none. */
function replyOf(protocol: Protocol, behaviour: ProviderBehaviour, request: ProviderRequest): ProviderReply | null {
  switch (behaviour) {
    case "taking":
      return protocol.taking(request);
    case "silent":
      return null;
    case "broken":
      return { status: 500, body: "Internal Server Error" };
    case "malformed":
      return { status: 200, body: "<html><body>Welcome to nginx!</body></html>" };
    case "oversized":
      return { status: 200, body: OVERSIZED };
    default:
      return protocol.replies[behaviour];
  }
}

function answer(response: ServerResponse, reply: ProviderReply | null): void {
  if (reply !== null) {
    const { status, headers = {}, body } = reply;
    response.writeHead(status, { "Content-Type": typeof body === "string" ? "text/plain" : "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }
}
