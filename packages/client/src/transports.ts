import { lostFrame } from "./frame.ts";
import type { Http } from "./http.ts";
import type { Counts } from "./item.ts";
import { pause } from "./pause.ts";
import { RequestError } from "./result.ts";

/** A way to learn of what happens in the inbox. */
export type TransportName = "ws" | "sse" | "poll";

/** What a transport needs. */
export interface Following {
  readonly http: Http;
  /** The position to resume from, and the language of texts. */
  readonly query: { readonly since: string; readonly locale: string | undefined };
  /** Whether there is no other transport to go on with. */
  readonly isOnly: boolean;
  /** Ends the connection. */
  readonly signal: AbortSignal;
  /** Is called with the text of each frame. */
  onText(text: string): void;
  /** Is called with each sign of life. */
  onLife(): void;
}

/** How often a client that polls asks. */
const POLL_MS = 15_000;
/** After so many times, the other transports are tried again. */
const POLLS = 4;

/** Follows the inbox until the connection ends. It rejects if there is none. */
export type Transport = (following: Following) => Promise<void>;

/** The transports by their names. */
export const TRANSPORTS: Readonly<Record<TransportName, Transport>> = { ws: followSocket, sse: followStream, poll };

async function followSocket({ http, query, isOnly, signal, onText, onLife }: Following): Promise<void> {
  const { ticket } = await http.json<{ readonly ticket: string | null }>("/inbox/ticket", { method: "POST", signal });
  if (ticket === null) {
    // The server opens no sockets, and browsers complain of one that is refused.
    if (isOnly) {
      throw new RequestError({ code: "NO_SOCKETS", status: 0, message: 'The server opens no WebSockets. Add "sse" to transports.' });
    }
    return;
  }
  const url = http.url("/inbox/socket", { ...query, ticket });
  url.protocol = url.protocol.replace("http", "ws");
  const socket = new WebSocket(url);
  await new Promise<void>((resolve) => {
    // Without a network, a socket that is closed may take its time to say so.
    signal.addEventListener("abort", () => {
      socket.close();
      resolve();
    });
    socket.onmessage = ({ data }) => {
      onLife();
      if (String(data).includes('"type":"ping"')) {
        socket.send('{"type":"pong"}');
      } else {
        onText(String(data));
      }
    };
    socket.onclose = () => resolve();
    // A close follows.
    socket.onerror = null;
  });
}

async function followStream({ http, query, signal, onText, onLife }: Following): Promise<void> {
  const response = await http.ask("/inbox/stream", { query, signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    onLife();
    const lines = (rest + part.value).split("\n");
    rest = lines.pop() ?? "";
    // The server writes the data of an event in one line.
    for (const line of lines.filter((one) => one.startsWith("data:"))) {
      onText(line.slice("data:".length));
    }
  }
}

async function poll({ http, signal, onText, onLife }: Following): Promise<void> {
  let etag = "";
  for (let asked = 0; asked < POLLS && !signal.aborted; asked += 1) {
    const response = await http.ask("/inbox/counts", { signal, headers: { "if-none-match": etag } });
    onLife();
    if (response.status !== 304) {
      etag = response.headers.get("etag") ?? "";
      const { counts } = (await response.json()) as { readonly counts: Counts };
      onText(JSON.stringify(lostFrame(counts)));
    }
    await pause(POLL_MS, signal);
  }
}
