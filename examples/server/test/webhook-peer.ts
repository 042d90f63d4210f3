import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** A received webhook. */
export interface Arrived {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP server on 127.0.0.1, and the webhooks it got. */
export interface WebhookPeer {
  readonly url: string;
  readonly arrived: Arrived[];
  close(): Promise<void>;
}

/** Starts a server that answers with the status from `answer`, or not at all if that is null. */
export async function webhookPeer(
  answer: (arrived: Arrived, count: number) => number | null | Promise<number | null>,
): Promise<WebhookPeer> {
  const arrived: Arrived[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request).catch(() => null);
    if (body === null) {
      // The sender was killed in the middle of the request, which is none then.
      return;
    }
    const one = { path: request.url ?? "", headers: request.headers, body };
    arrived.push(one);
    const status = await answer(one, arrived.filter(({ path }) => path === one.path).length);
    if (status !== null) {
      response.writeHead(status).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
