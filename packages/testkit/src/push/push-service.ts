import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";

/** A push that reached a local service. */
export interface ReceivedPush {
  /** The token of the device, or the endpoint of the browser. */
  readonly device: string;
  readonly headers: IncomingHttpHeaders;
  /** The message: of a browser, decrypted. */
  readonly message: unknown;
}

/** How a local service answers a push. */
export interface PushAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or a text as it is. */
  readonly body?: unknown;
}

/** Decides how a push is answered: `hang` leaves it without an answer, undefined takes it. */
export type AnswerPush = (push: ReceivedPush) => PushAnswer | "hang" | undefined;

/** A service that runs on this machine and speaks the protocol of one that delivers pushes. */
export interface PushService {
  /** For the option `url` of `push`. */
  readonly url: string;
  /** The pushes that were taken, oldest first. */
  readonly taken: readonly ReceivedPush[];
  /** Every push that was asked for, whatever the answer. */
  readonly asked: readonly ReceivedPush[];
  /** From now on, decides on the answers. */
  answerWith(answer: AnswerPush): void;
  /** From now on, says that a device is gone. */
  forget(device: string): void;
  /** How many connections are open. */
  connections(): number;
  close(): Promise<void>;
}

/** One request to a service. */
export interface ServiceRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The part of a service that is its own protocol. */
export interface ServiceProtocol {
  /** Reads a push, or answers what is none, or not allowed. */
  read(request: ServiceRequest): ReceivedPush | PushAnswer;
  /** How it says that it took a push. */
  readonly taken: (push: ReceivedPush) => PushAnswer;
  /** How it says that a device is gone. */
  readonly gone: PushAnswer;
}

/** Runs a service on a free port of this machine. */
export async function runService(protocol: ServiceProtocol, { http2 = false } = {}): Promise<PushService> {
  const asked: ReceivedPush[] = [];
  const taken: ReceivedPush[] = [];
  const gone = new Set<string>();
  let decide: AnswerPush = () => undefined;
  const answerTo = (request: ServiceRequest): PushAnswer | "hang" => {
    const read = protocol.read(request);
    if ("status" in read) {
      return read;
    }
    asked.push(read);
    if (gone.has(read.device)) {
      return protocol.gone;
    }
    const decided = decide(read);
    if (decided !== undefined) {
      return decided;
    }
    taken.push(read);
    return protocol.taken(read);
  };
  const { server, sockets } = listen(http2, answerTo);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken,
    asked,
    answerWith(answer) {
      decide = answer;
    },
    forget: (device) => gone.add(device),
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) {
        socket.destroy();
      }
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function listen(http2: boolean, answerTo: (request: ServiceRequest) => PushAnswer | "hang") {
  const handle = async (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => {
    const body = Buffer.from(await text(request.setEncoding("latin1")), "latin1");
    const { method = "", url: path = "", headers } = request;
    const answer = answerTo({ method, path, headers, body });
    if (answer === "hang") {
      return;
    }
    const json = typeof answer.body === "string" ? answer.body : answer.body === undefined ? "" : JSON.stringify(answer.body);
    response.statusCode = answer.status;
    for (const [name, value] of Object.entries({ "content-type": "application/json", ...answer.headers })) {
      response.setHeader(name, value);
    }
    response.end(json);
  };
  const sockets = new Set<Socket>();
  const onRequest = (request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) => {
    // A request that broke off has no answer.
    handle(request, response).catch(() => response.destroy());
  };
  const server: Server | Http2Server = http2 ? createHttp2Server(onRequest) : createServer(onRequest);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  return { server, sockets };
}

/** The JSON of a body; null for what is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The service answers it as a wrong request.
    return null;
  }
}
