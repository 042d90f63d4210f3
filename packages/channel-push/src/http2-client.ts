import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import type { EgressAnswer, EgressFailure, EgressResult } from "@belfry/egress";
import { requireUrl } from "./require-url.ts";

/** One request. */
interface Http2Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** How many bytes of an answer are kept. */
const MAX_BYTES = 16_384;

/** A connection that nobody uses is closed after this time. */
const IDLE_MS = 3_600_000;

/** Sends requests to one server over one connection, which is opened at the first and again once it was closed. It holds no process open. */
export class Http2Client {
  readonly #url: string;
  readonly #ca: string | undefined;
  #session: ClientHttp2Session | null = null;

  /** @throws BelfryError `CONFIGURATION` for what is no URL of a server */
  constructor(url: string, ca: string | undefined) {
    this.#url = requireUrl("push's apns.url", url).origin;
    this.#ca = ca;
  }

  /** Posts a body. Failures are in the result. */
  async post(path: string, request: Http2Request): Promise<EgressResult> {
    if (request.signal.aborted) {
      return failure("aborted", "the attempt was ended");
    }
    const session = this.#open();
    const stream = session.request({ ":method": "POST", ":path": path, "content-type": "application/json", ...request.headers });
    try {
      return await exchange(stream, request);
    } finally {
      stream.close();
      if (request.signal.aborted && this.#session === session) {
        // A server that does not answer may be one that is not there any more.
        this.#drop(session);
        session.destroy();
      }
    }
  }

  #open(): ClientHttp2Session {
    if (this.#session !== null && !this.#session.closed && !this.#session.destroyed) {
      return this.#session;
    }
    const session = connect(this.#url, this.#ca === undefined ? {} : { ca: this.#ca });
    session.unref();
    session.setTimeout(IDLE_MS, () => session.close());
    // Its requests say what went wrong; nobody else has to hear of it.
    session.on("error", () => this.#drop(session));
    session.on("goaway", () => this.#drop(session));
    session.on("close", () => this.#drop(session));
    this.#session = session;
    return session;
  }

  #drop(session: ClientHttp2Session): void {
    if (this.#session === session) {
      this.#session = null;
    }
  }
}

function exchange(stream: ClientHttp2Stream, { body, timeoutMs, signal }: Http2Request): Promise<EgressResult> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let head: IncomingHttpHeaders | null = null;
    let size = 0;
    const end = (result: EgressResult) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(result);
    };
    const timer = setTimeout(() => end(failure("timeout", "no answer came in time")), timeoutMs);
    const onAbort = () => end(failure("aborted", "the attempt was ended"));
    signal.addEventListener("abort", onAbort, { once: true });
    stream.on("response", (headers) => {
      head = headers;
    });
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= MAX_BYTES) {
        chunks.push(chunk);
      }
    });
    stream.on("end", () => end(head === null ? failure("connection_lost", "the connection broke off") : answerOf(head, chunks)));
    stream.on("error", () => end(failure(head === null ? "unreachable" : "connection_lost", "the server cannot be reached")));
    stream.on("close", () => end(failure("connection_lost", "the connection broke off")));
    stream.end(body);
  });
}

function answerOf(headers: IncomingHttpHeaders, chunks: readonly Buffer[]): EgressAnswer {
  const plain = Object.entries(headers).flatMap(([name, value]) => (typeof value === "string" ? [[name, value] as const] : []));
  return { ok: true, status: Number(headers[":status"]), headers: Object.fromEntries(plain), body: Buffer.concat(chunks), isCut: false };
}

function failure(code: EgressFailure["code"], error: string): EgressFailure {
  return { ok: false, code, transient: true, error };
}
