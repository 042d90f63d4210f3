import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { SMTPServer } from "smtp-server";
import type { Ledger } from "./ledger.ts";

type Cleanup = (task: () => unknown) => void;

/**
 * What a mail server does with a mail: takes it; refuses the recipient with a code; or, once the text is to come, reads none
 * of it and says nothing, drops the connection before it has all of it, drops it when it has all of it instead of saying so,
 * or drops it right after saying so.
 */
export type MailAnswer = "take" | number | "drop before" | "drop instead" | "drop after" | "hang";

/** A server that notes what it gets before it answers. */
export interface Sink {
  readonly url: string;
  /** How many it was offered, received or not. */
  offered(): number;
}

/** A real SMTP server outside of the processes under test. `answer` decides by the recipient and how often it saw it. */
export async function mailSink(
  { ledger, cleanup }: { readonly ledger: Ledger; readonly cleanup: Cleanup },
  answer: (recipient: string, count: number) => MailAnswer = () => "take",
): Promise<Sink> {
  const sockets = new Map<number | undefined, Socket>();
  const counts = new Map<string, number>();
  const chosen = new Map<string, MailAnswer>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    logger: false,
    onRcptTo({ address }, { id }, callback) {
      const count = (counts.get(address) ?? 0) + 1;
      counts.set(address, count);
      const one = answer(address, count);
      chosen.set(id, one);
      callback(typeof one === "number" ? Object.assign(new Error("as the fault says"), { responseCode: one }) : null);
    },
    async onData(stream, { id, remotePort }, callback) {
      const one = chosen.get(id) ?? "take";
      const socket = sockets.get(remotePort);
      if (one === "hang") {
        return;
      }
      if (one === "drop before") {
        socket?.destroy();
        return;
      }
      const head = await textOf(stream).catch(() => null);
      if (head === null) {
        // The sender died in the middle of the mail, which is none then.
        return;
      }
      const [, text = ""] = /^Subject: (.+?)\r$/m.exec(head) ?? [];
      const [, delivery = ""] = /^Message-ID: <([^@>]+)@/im.exec(head) ?? [];
      await ledger.append({ what: "receipt", channel: "email", text, delivery, isAccepted: one === "take" || one === "drop after" });
      if (one === "drop instead") {
        socket?.destroy();
      } else {
        callback(null);
      }
      if (one === "drop after") {
        setImmediate(() => socket?.destroy());
      }
    },
  });
  // A dropped connection is what some faults are about.
  server.on("error", () => {});
  server.server.on("connection", (socket: Socket) => {
    sockets.set(socket.remotePort, socket);
    socket.once("close", () => sockets.delete(socket.remotePort));
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  cleanup(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets.values()) {
      socket.destroy();
    }
    await closed;
  });
  return { url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`, offered: () => sumOf(counts) };
}

/** What a receiver of webhooks does: answers a status, at once or later, or does something else with the response. */
export type HookAnswer = number | { readonly status: number; readonly afterMs: number } | ((response: ServerResponse) => unknown);

/** A real receiver of webhooks outside of the processes under test. `answer` decides by the path and how often it saw it. */
export async function hookSink(
  { ledger, cleanup }: { readonly ledger: Ledger; readonly cleanup: Cleanup },
  answer: (path: string, count: number) => HookAnswer | Promise<HookAnswer> = () => 204,
): Promise<Sink> {
  const counts = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const { url: path = "", headers } = request;
    const body = await textOf(request).catch(() => null);
    if (body === null) {
      return;
    }
    const { data } = JSON.parse(body) as { readonly data: { readonly content: string } };
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    const one = await answer(path, count);
    const { status, afterMs } = typeof one === "object" ? one : { status: typeof one === "number" ? one : 0, afterMs: 0 };
    const isAccepted = status >= 200 && status < 300;
    await ledger.append({ what: "receipt", channel: "webhook", text: data.content, delivery: String(headers["webhook-id"]), isAccepted });
    if (typeof one === "function") {
      one(response);
    } else if (afterMs === 0) {
      response.writeHead(status).end();
    } else {
      setTimeout(() => response.writeHead(status).end(), afterMs);
    }
  });
  // A client that dies in the middle of a request is what some faults are about.
  server.on("clientError", (_error, socket) => socket.destroy());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanup(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, offered: () => sumOf(counts) };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}
