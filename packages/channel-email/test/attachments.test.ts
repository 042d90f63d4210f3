import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmailOptions, email } from "../src/index.ts";
import { type MailServer, mailServers } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

const MEBIBYTE = 1_048_576;

describe("attachments", () => {
  const servers = mailServers();
  const files: Server[] = [];
  let server: MailServer;
  let requests: number;

  beforeEach(async () => {
    server = await servers.start();
    requests = 0;
  });

  afterEach(async () => {
    await servers.closeAll();
    for (const file of files.splice(0)) {
      file.closeAllConnections();
      await new Promise((resolve) => file.close(resolve));
    }
  });

  /** Serves files with `listener` and gives its base URL. */
  async function serve(listener: RequestListener): Promise<string> {
    const file = createServer((request, response) => {
      requests += 1;
      listener(request, response);
    });
    files.push(file);
    await new Promise<void>((resolve) => file.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(file.address() as AddressInfo).port}`;
  }

  function deliver(attachments: { filename: string; url: string }[], options: Partial<EmailOptions> = {}) {
    const channel = email({ transport: server.url, from: "shop@example.com", allowPrivateAttachments: true, ...options });
    return channel.deliver(taskOf({ data: { attachments } }), noAbort);
  }

  it("are fetched and sent with the mail", async () => {
    const pdf = Buffer.from([0x25, 0x50, 0x44, 0x46, 0, 255, 10, 13, 46]);
    const base = await serve((request, response) => response.end(request.url === "/welcome.pdf" ? pdf : "plain"));
    const outcome = await deliver([
      { filename: "welcome.pdf", url: `${base}/welcome.pdf` },
      { filename: "Grüße — 😀.txt", url: `${base}/b` },
    ]);
    expect(outcome).toMatchObject({ status: "sent" });
    const attachments = only(server.mails).parsed.attachments.map(({ filename, mimeType, content }) => ({
      filename,
      mimeType,
      content: Buffer.from(content as ArrayBuffer),
    }));
    expect(attachments).toEqual([
      { filename: "welcome.pdf", mimeType: "application/pdf", content: pdf },
      { filename: "Grüße — 😀.txt", mimeType: "text/plain", content: Buffer.from("plain") },
    ]);
  });

  it.each([
    [404, false],
    [403, false],
    [302, false],
    [204, false],
    [408, true],
    [429, true],
    [500, true],
    [503, true],
  ])("row 47: fail the attempt when their server answers %i, for the time being: %s", async (status, transient) => {
    const base = await serve((_request, response) => response.writeHead(status, { location: "http://169.254.169.254/" }).end());
    expect(await deliver([{ filename: "a.pdf", url: `${base}/` }])).toEqual({
      status: "failed",
      provider: "smtp",
      transient,
      error: `the attachment "a.pdf" could not be fetched: its server answered ${status}`,
    });
    expect([requests, server.connections()]).toEqual([1, 0]);
  });

  it("row 47: fail the attempt for good beyond 10 MiB, and beyond 18 MiB together", async () => {
    const base = await serve((request, response) => response.end(Buffer.alloc(Number(request.url?.slice(1)))));
    const tooLarge = { status: "failed", transient: false, error: expect.stringContaining("too_large") };
    expect(await deliver([{ filename: "a.bin", url: `${base}/${10 * MEBIBYTE + 1}` }])).toMatchObject(tooLarge);
    const nine = { filename: "b.bin", url: `${base}/${9 * MEBIBYTE}` };
    expect(await deliver([nine, nine, { filename: "c.bin", url: `${base}/1` }])).toMatchObject(tooLarge);
    expect(server.connections()).toBe(0);
  });

  it("are tried again when their server breaks off", async () => {
    const base = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    const outcome = await deliver([{ filename: "a.pdf", url: `${base}/` }]);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: expect.stringContaining("connection_lost") });
  });

  it("row 47: are fetched only from public addresses, unless the host allows others", async () => {
    const base = await serve((_request, response) => response.end("secret"));
    const port = Number(new URL(base).port);
    const guarded: Partial<EmailOptions> = {
      allowPrivateAttachments: false,
      egress: { resolve: async () => [{ address: "127.0.0.1", family: 4 }], connect: () => connect(port, "127.0.0.1") },
    };
    for (const url of ["https://files.example.com/a", "https://127.0.0.1/a", `${base}/a`, "https://169.254.169.254/"]) {
      expect(await deliver([{ filename: "a", url }], guarded)).toMatchObject({ status: "failed", transient: false });
    }
    expect([requests, server.connections()]).toEqual([0, 0]);
  });
});
