import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, test } from "vitest";
import type { Peer } from "../http/messages.ts";
import { writeResponse } from "./write-response.ts";

interface Exchange {
  /** What happens to the response before the stream opens. */
  prepare?(response: ServerResponse): void;
  /** What the stream does. @default it sends "a", "b" and "ü", and ends within the same turn */
  talk?(peer: Peer, response: ServerResponse): void;
}

function talkAndEnd(peer: Peer): void {
  peer.send("a");
  peer.send("b");
  setImmediate(() => {
    peer.send("ü");
    peer.close();
  });
}

/** The bytes that a client gets from a stream. */
async function bytesFor(version: "1.0" | "1.1", { prepare, talk = talkAndEnd }: Exchange = {}): Promise<string> {
  const server = createServer((_request, response) => {
    prepare?.(response);
    const open = (peer: Peer) => {
      setImmediate(() => talk(peer, response));
      return () => {};
    };
    writeResponse(response, { status: 200, headers: { "content-type": "text/event-stream" }, body: { open } });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.write(`GET / HTTP/${version}\r\nhost: a\r\nconnection: close\r\n\r\n`);
  const read: Buffer[] = [];
  for await (const chunk of socket) {
    read.push(chunk as Buffer);
  }
  server.close();
  return Buffer.concat(read).toString().split("\r\n\r\n").slice(1).join("\r\n\r\n");
}

test("a stream's texts are chunks, in order and before its end", async () => {
  expect(await bytesFor("1.1")).toBe("1\r\na\r\n1\r\nb\r\n2\r\nü\r\n0\r\n\r\n");
});

test("nothing follows the end of a response that the host ended", async () => {
  const talk: Exchange["talk"] = (peer, response) => {
    peer.send("a");
    response.end();
    peer.send("b");
  };
  expect(await bytesFor("1.1", { talk })).toBe("0\r\n\r\n");
});

test("a client of HTTP/1.0 gets no chunks", async () => {
  expect(await bytesFor("1.0")).toBe("abü");
});

test("a middleware that replaced the response's write gets the texts", async () => {
  const seen: unknown[] = [];
  const prepare: Exchange["prepare"] = (response) => {
    const write = response.write.bind(response) as (text: string) => boolean;
    response.write = (text: string) => {
      seen.push(text);
      return write(text.toUpperCase());
    };
  };
  const bytes = await bytesFor("1.1", { prepare });
  expect([seen, bytes]).toEqual([["a", "b", "ü"], "1\r\nA\r\n1\r\nB\r\n2\r\nÜ\r\n0\r\n\r\n"]);
});

test.each(["plain text", "é is in Latin-1", "日本 is not", ""])("a body has its bytes in UTF-8, and their number: %j", async (body) => {
  const server = createServer((_request, response) => writeResponse(response, { status: 200, headers: { "x-title": "a" }, body }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  server.close();
  expect([bytes.toString(), response.headers.get("content-length")]).toEqual([body, String(Buffer.byteLength(body))]);
});

test("what the reader of a stream has left unread is counted until it takes it", async () => {
  const { promise: opened, resolve } = Promise.withResolvers<Peer>();
  const server = createServer((_request, response) => {
    const open = (peer: Peer) => {
      resolve(peer);
      return () => {};
    };
    writeResponse(response, { status: 200, headers: {}, body: { open } });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const reader = connect((server.address() as AddressInfo).port, "127.0.0.1");
  reader.pause();
  reader.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  const peer = await opened;
  const text = "a".repeat(1_000_000);
  let sent = 0;
  // The system takes some megabytes for a reader that reads nothing.
  await expect
    .poll(() => {
      peer.send(text);
      sent += 1;
      return peer.bufferedAmount > 2 * text.length;
    })
    .toBe(true);
  let read = 0;
  reader.on("data", (part: Buffer) => {
    read += part.length;
  });
  reader.resume();
  await expect.poll(() => [peer.bufferedAmount, read > sent * text.length]).toEqual([0, true]);
  peer.send("b");
  expect(peer.bufferedAmount).toBeGreaterThan(0);
  reader.destroy();
  server.closeAllConnections();
  server.close();
});
