import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import { createEgress } from "../src/index.ts";
import { TEST_CERTIFICATE } from "./certificate.ts";
import { bodyOf, httpReceiver, httpsReceiver, type Receiver, tcpReceiver } from "./receiver.ts";

const egress = createEgress({ allowPrivate: true });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("requests", () => {
  const receivers: Receiver[] = [];

  afterEach(async () => {
    await Promise.all(receivers.splice(0).map((receiver) => receiver.close()));
  });

  async function using(receiver: Promise<Receiver>): Promise<Receiver> {
    const started = await receiver;
    receivers.push(started);
    return started;
  }

  it("sends headers and body, asks for no encoding, and returns status, headers and body", async () => {
    let seen: unknown;
    const { port } = await using(
      httpReceiver(async (request, response) => {
        const { host, "accept-encoding": encoding, "x-one": one, "content-length": length } = request.headers;
        seen = { method: request.method, url: request.url, host, encoding, one, length, body: await bodyOf(request) };
        response.writeHead(201, { "X-Two": "2" }).end("made");
      }),
    );
    const result = await egress.send(`http://127.0.0.1:${port}/in?a=1#part`, { method: "POST", headers: { "X-One": "1" }, body: "héllo" });
    expect(seen).toEqual({
      method: "POST",
      url: "/in?a=1",
      host: `127.0.0.1:${port}`,
      encoding: "identity",
      one: "1",
      length: "6",
      body: "héllo",
    });
    expect(result).toMatchObject({ ok: true, status: 201, isCut: false });
    expect(result.ok && [result.headers["x-two"], text(result.body)]).toEqual(["2", "made"]);
  });

  it("checks the certificate against the URL's name while it connects to the resolved address", async () => {
    let serverName: string | undefined;
    const { port } = await using(
      httpsReceiver((request, response) => {
        serverName = request.headers.host;
        response.end("over TLS");
      }),
    );
    const resolve = async () => [{ address: "127.0.0.1", family: 4 as const }];
    const trusting = createEgress({ allowPrivate: true, resolve, ca: TEST_CERTIFICATE });
    const result = await trusting.send(`https://hooks.example.test:${port}/`, { method: "GET" });
    expect(result.ok && text(result.body)).toBe("over TLS");
    expect(serverName).toBe(`hooks.example.test:${port}`);
    expect(await trusting.send(`https://127.0.0.1:${port}/`, { method: "GET" })).toMatchObject({ ok: true, status: 200 });

    const otherName = await trusting.send(`https://other.example.test:${port}/`, { method: "GET" });
    const untrusting = await createEgress({ allowPrivate: true, resolve }).send(`https://hooks.example.test:${port}/`, { method: "GET" });
    for (const refused of [otherName, untrusting]) {
      expect(refused).toMatchObject({ ok: false, code: "tls_failed", transient: true });
    }
  });

  it("row 38: returns a redirect and does not follow it", async () => {
    const inside = await using(httpReceiver((_request, response) => response.end("secret")));
    const { port } = await using(
      httpReceiver((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${inside.port}/` }).end()),
    );
    expect(await egress.send(`http://127.0.0.1:${port}/`, { method: "GET" })).toMatchObject({ ok: true, status: 302 });
    expect(inside.connections()).toBe(0);
  });

  it("row 41: keeps the beginning of an endless body and ends the connection", async () => {
    let closed: Promise<unknown> | undefined;
    const { port } = await using(
      httpReceiver((_request, response) => {
        closed = once(response, "close");
        const write = () => {
          while (!response.destroyed && response.write("x".repeat(65_536))) {}
        };
        response.on("drain", write);
        write();
      }),
    );
    const result = await egress.send(`http://127.0.0.1:${port}/`, { method: "POST", maxBytes: 16_384 });
    expect(result).toMatchObject({ ok: true, status: 200, isCut: true });
    expect(result.ok && result.body.length).toBe(16_384);
    await closed;
    expect(await egress.send(`http://127.0.0.1:${port}/`, { method: "GET", overflow: "refuse" })).toMatchObject({
      ok: false,
      code: "too_large",
      transient: false,
    });
  });

  it("row 41: reads no more than the allowed bytes of a gzip bomb", async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const { port } = await using(httpReceiver((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(bomb)));
    const result = await egress.send(`http://127.0.0.1:${port}/`, { method: "GET", maxBytes: 100_000 });
    expect(result).toMatchObject({ ok: true, isCut: true });
    expect(result.ok && result.body.length).toBeLessThanOrEqual(100_000);
    const refused = await egress.send(`http://127.0.0.1:${port}/`, { method: "GET", maxBytes: 100_000, overflow: "refuse" });
    expect(refused).toMatchObject({ ok: false, code: "too_large" });
  });

  it("decodes gzip, deflate and br that were not asked for, and no other encoding", async () => {
    const { port } = await using(
      httpReceiver((request, response) => {
        const encoding = request.url?.slice(1) ?? "";
        response.writeHead(200, { "content-encoding": encoding }).end(encoding === "gzip" ? gzipSync("plain") : "plain");
      }),
    );
    const gzip = await egress.send(`http://127.0.0.1:${port}/gzip`, { method: "GET", overflow: "refuse" });
    expect(gzip.ok && text(gzip.body)).toBe("plain");
    const unknown = await egress.send(`http://127.0.0.1:${port}/zstd`, { method: "GET", overflow: "refuse" });
    expect(unknown).toMatchObject({ ok: false, code: "connection_lost" });
  });

  it("row 41: ends a request that is not answered before its deadline, or whose answer drips past it", async () => {
    const { port } = await using(
      httpReceiver((request, response) => {
        if (request.url !== "/silent") {
          response.write("a");
          const drip = setInterval(() => response.write("b"), 20);
          response.on("close", () => clearInterval(drip));
        }
      }),
    );
    const silent = await egress.send(`http://127.0.0.1:${port}/silent`, { method: "GET", timeoutMs: 300 });
    expect(silent).toEqual({ ok: false, code: "timeout", transient: true, error: "the host did not answer in time" });
    const refused = await egress.send(`http://127.0.0.1:${port}/drip`, { method: "GET", timeoutMs: 300, overflow: "refuse" });
    expect(refused).toMatchObject({ ok: false, code: "timeout" });
    const cut = await egress.send(`http://127.0.0.1:${port}/drip`, { method: "GET", timeoutMs: 300 });
    expect(cut).toMatchObject({ ok: true, status: 200, isCut: true });
  });

  it("ends at its deadline while a look-up hangs", async () => {
    const hanging = createEgress({ resolve: () => new Promise(() => undefined) });
    expect(await hanging.send("https://hooks.example.test/", { method: "GET", timeoutMs: 50 })).toMatchObject({ code: "timeout" });
  });

  it("ends when the caller aborts", async () => {
    const abort = new AbortController();
    const { port } = await using(httpReceiver(() => abort.abort()));
    const result = await egress.send(`http://127.0.0.1:${port}/`, { method: "GET", signal: abort.signal });
    expect(result).toMatchObject({ ok: false, code: "aborted", transient: true });
  });

  it.each([
    ["a reset", (port: number) => `http://127.0.0.1:${port}/reset`, "connection_lost"],
    ["an answer that is not HTTP", (port: number) => `http://127.0.0.1:${port}/garbage`, "bad_answer"],
    ["an upgrade", (port: number) => `http://127.0.0.1:${port}/upgrade`, "bad_answer"],
    ["headers without end", (port: number) => `http://127.0.0.1:${port}/headers`, "bad_answer"],
    ["a connection that ends before an answer", (port: number) => `http://127.0.0.1:${port}/close`, "connection_lost"],
  ])("calls %s by one name", async (_what, url, code) => {
    const { port } = await using(
      tcpReceiver((socket) => {
        socket.once("data", (request) => {
          const path = request.toString().split(" ")[1];
          const answers: Record<string, () => void> = {
            "/reset": () => socket.resetAndDestroy(),
            "/garbage": () => socket.end("220 mail.example.test ESMTP\r\n"),
            "/upgrade": () => socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
            "/headers": () => socket.write(`HTTP/1.1 200 OK\r\nX: ${"y".repeat(40_000)}`),
            "/close": () => socket.end(),
          };
          answers[path ?? ""]?.();
        });
      }),
    );
    expect(await egress.send(url(port), { method: "POST", body: "{}" })).toMatchObject({ ok: false, code, transient: true });
  });

  it("row 41: gives one text for a closed port, a name that does not resolve and an unroutable address", async () => {
    const { port, close } = await tcpReceiver(() => undefined);
    await close();
    const closed = await egress.send(`http://127.0.0.1:${port}/`, { method: "GET" });
    const nameless = createEgress({ resolve: () => Promise.reject(new Error("ENOTFOUND secret.internal")) });
    const unknown = await nameless.send("https://secret.internal/", { method: "GET" });
    expect(closed).toEqual({ ok: false, code: "unreachable", transient: true, error: "the host could not be reached" });
    expect(unknown).toEqual(closed);
  });

  it("reuses a connection, and sends once more if the server has ended it meanwhile", async () => {
    let requests = 0;
    const receiver = await using(
      tcpReceiver((socket) => {
        let onThisConnection = 0;
        socket.on("data", () => {
          requests += 1;
          onThisConnection += 1;
          if (onThisConnection === 3) {
            socket.resetAndDestroy();
          } else {
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
          }
        });
      }),
    );
    const own = createEgress({ allowPrivate: true });
    for (let request = 0; request < 3; request += 1) {
      expect(await own.send(`http://127.0.0.1:${receiver.port}/`, { method: "GET" })).toMatchObject({ ok: true, status: 200 });
    }
    expect([receiver.connections(), requests]).toEqual([2, 4]);
  });

  it("opens connections through the host's own function, to checked addresses", async () => {
    const receiver = await using(httpReceiver((_request, response) => response.end("by gateway")));
    const through: string[] = [];
    const gateway = createEgress({
      allowPrivate: true,
      resolve: async () => [{ address: "10.1.2.3", family: 4 }],
      connect: ({ hostname, addresses }) => {
        through.push(hostname, ...addresses.map(({ address }) => address));
        return connect(receiver.port, "127.0.0.1");
      },
    });
    const result = await gateway.send("http://inside.example.test:8080/", { method: "GET" });
    expect(result.ok && text(result.body)).toBe("by gateway");
    expect(through).toEqual(["inside.example.test", "10.1.2.3"]);
  });

  it("rejects a header that HTTP cannot carry", async () => {
    await expect(egress.send("http://127.0.0.1:3000/", { method: "GET", headers: { "x-a": "b\r\nc: d" } })).rejects.toThrow("header");
  });
});
