import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { BelfryError } from "../foundation/errors.ts";
import { fromNodeRequest } from "./http-request.ts";

const MAX_BYTES = 10;
let server: Server;

/** Serves what reading the body gives: its text, or the code of the error. */
async function listen(): Promise<{ address: AddressInfo; answers: string[] }> {
  const answers: string[] = [];
  server = createServer((incoming, outgoing) => {
    const request = fromNodeRequest(incoming, { url: incoming.url ?? "/", mountPath: "" });
    request.body(MAX_BYTES).then(
      (bytes) => {
        answers.push(`${bytes.length} bytes`);
        outgoing.end(bytes);
      },
      (error: BelfryError) => {
        answers.push(error.code);
        outgoing.end(error.code);
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: server.address() as AddressInfo, answers };
}

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => void server.close(resolve));
});

/** A body of unknown length: fetch sends it chunked. */
function chunked(...chunks: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) {
        controller.enqueue(new TextEncoder().encode(chunk));
      }
      controller.close();
    },
  });
}

describe("fromNodeRequest", () => {
  test("a body up to the limit is read, one byte more is refused, with and without a Content-Length", async () => {
    const { address } = await listen();
    const send = async (body: string | ReadableStream<Uint8Array>) =>
      (await fetch(`http://127.0.0.1:${address.port}`, { method: "POST", body, duplex: "half" } as RequestInit)).text();
    expect(await send("0123456789")).toBe("0123456789");
    expect(await send("0123456789a")).toBe("PAYLOAD_TOO_LARGE");
    expect(await send(chunked("01234", "56789"))).toBe("0123456789");
    expect(await send(chunked("01234", "56789", "a"))).toBe("PAYLOAD_TOO_LARGE");
    expect(await send("")).toBe("");
  });

  test("a client that disconnects in the middle of its body causes INVALID_JSON, not a server error", async () => {
    const { address, answers } = await listen();
    const socket = connect(address.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf");
    await new Promise((resolve) => void server.once("request", resolve));
    socket.resetAndDestroy();
    await expect.poll(() => answers).toEqual(["INVALID_JSON"]);
  });
});
