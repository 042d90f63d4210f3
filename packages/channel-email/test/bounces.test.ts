import { createHash, generateKeyPairSync, verify } from "node:crypto";
import type { Receipt } from "@belfry/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type EmailOptions, email, type MailSender, type OutgoingMail, recordBounceMail } from "../src/index.ts";
import { mailServers, smtpError } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

const from = "shop@example.com";
const BOUNCES = { address: "bounces@mail.example.com", secret: "a secret that nobody else knows, I hope" };
const ID = taskOf().id;

/** What the channel hands to a transport. */
async function handedOver(options: Partial<EmailOptions>, address = "jane@example.com"): Promise<OutgoingMail> {
  const sendMail = vi.fn<MailSender["sendMail"]>(async () => ({}));
  await email({ transport: { sendMail }, from, ...options }).deliver(taskOf({ address }), noAbort);
  return only(sendMail.mock.calls)[0];
}

/** A report as a mail server writes it (RFC 3464). */
function report(to: string, said: { action?: string; status?: string; final?: string; original?: string } = {}): Buffer {
  const { action = "failed", status = "5.1.1", final = "jane@example.com" } = said;
  const { original = final } = said;
  return Buffer.from(
    [
      "From: MAILER-DAEMON@mx.example.com",
      `To: <${to}>`,
      "Subject: Undelivered Mail",
      "MIME-Version: 1.0",
      'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
      "",
      "--b",
      "Content-Type: text/plain",
      "",
      "It could not be delivered.",
      "--b",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; mx.example.com",
      "",
      `Original-Recipient: rfc822;${original}`,
      `Final-Recipient: rfc822; ${final}`,
      `Action: ${action}`,
      `Status: ${status}`,
      "Diagnostic-Code: smtp; 550 5.1.1",
      "  no such user",
      "",
      "--b",
      "Content-Type: message/rfc822",
      "",
      "From: shop@example.com",
      `Message-ID: <${ID}@example.com>`,
      "",
      "Hello",
      "--b--",
      "",
    ].join("\r\n"),
  );
}

function recorder() {
  const record = vi.fn(async (_: Receipt) => ({ outcome: "changed" as const, isSuppressed: true }));
  return { receipts: { record }, bounces: BOUNCES, recorded: () => record.mock.calls.map(([receipt]) => receipt) };
}

describe("mail that comes back", () => {
  const servers = mailServers();
  afterEach(() => servers.closeAll());

  test("comes to an address of its own, and servers that can do so are asked to report", async () => {
    const asked: unknown[] = [];
    const server = await servers.start({
      hideDSN: false,
      onRcptTo(address, _, callback) {
        asked.push(address.dsn);
        callback();
      },
    });
    await email({ transport: server.url, from, bounces: BOUNCES }).deliver(taskOf(), noAbort);
    const mail = only(server.mails);
    expect(mail.from).toMatch(/^bounces\+0193c5a0000070008000000000000001-[0-9a-f]{20}@mail\.example\.com$/);
    expect([mail.parsed.from?.address, mail.parsed.messageId]).toEqual([from, `<${ID}@example.com>`]);
    expect(asked).toEqual([{ notify: ["FAILURE", "DELAY"], orcpt: "rfc822;jane@example.com" }]);
  });

  test("is recorded for the delivery and the recipient that its address was made for", async () => {
    const { envelope } = await handedOver({ bounces: BOUNCES });
    const { recorded, ...to } = recorder();
    expect(await recordBounceMail(report(envelope.from), to)).toEqual([{ outcome: "changed", isSuppressed: true }]);
    async function* inPieces() {
      for (const byte of report(envelope.from.toUpperCase(), { final: "JANE@example.com", status: "5.2.2" })) {
        yield Uint8Array.of(byte);
      }
    }
    await recordBounceMail(inPieces(), to);
    await recordBounceMail(report("someone@example.com", { action: "delayed", status: "4.4.1" }), { ...to, recipient: envelope.from });
    await recordBounceMail(report(envelope.from, { action: "delivered", final: "j@forwarded.example", original: "jane@example.com" }), to);
    await recordBounceMail(report(envelope.from, { action: "relayed" }), to);
    const about = { messageId: ID, address: "jane@example.com", provider: "bounce mail", detail: "smtp; 550 5.1.1 no such user" };
    expect(recorded()).toEqual([
      { ...about, kind: "hard_bounce" },
      { ...about, kind: "soft_bounce", address: "JANE@example.com" },
      { ...about, kind: "deferred" },
      { ...about, kind: "delivered" },
    ]);
  });

  test("counts for nothing if it is forged, about somebody else, or no report", async () => {
    const { envelope } = await handedOver({ bounces: BOUNCES });
    const { recorded, ...to } = recorder();
    const forged = envelope.from.replace(/-[0-9a-f]{4}/, "-0000");
    const ofOthers = await handedOver({ bounces: { ...BOUNCES, secret: "another secret, of the same length as" } });
    const mails = [
      report(forged),
      report(ofOthers.envelope.from),
      report(envelope.from, { final: "victim@example.com" }),
      report("bounces@mail.example.com"),
      Buffer.from(`To: ${envelope.from}\r\nSubject: I am away\r\n\r\nUntil Monday.`),
      Buffer.from("\u0000".repeat(100)),
      Buffer.alloc(0),
    ];
    for (const mail of mails) {
      expect(await recordBounceMail(mail, to)).toEqual([]);
    }
    expect(recorded()).toEqual([]);
  });

  test("is read to a limit, however long it is, and however many recipients it names", async () => {
    const { envelope } = await handedOver({ bounces: BOUNCES });
    const { recorded: _, ...to } = recorder();
    let read = 0;
    async function* endless() {
      yield report(envelope.from);
      for (;;) {
        read += 1;
        yield Buffer.alloc(64 * 1024, "x");
      }
    }
    expect(await recordBounceMail(endless(), to)).toHaveLength(1);
    expect(read).toBeLessThanOrEqual(16);
    const group = "\r\nFinal-Recipient: rfc822; jane@example.com\r\nAction: failed\r\nStatus: 5.1.1\r\n";
    const many = report(envelope.from)
      .toString()
      .replace("\r\nOriginal-Recipient", `${group.repeat(50)}\r\nOriginal-Recipient`);
    expect((await recordBounceMail(Buffer.from(many), to)).length).toBeLessThanOrEqual(10);
  });

  test.each([
    { address: "no address", secret: BOUNCES.secret },
    { address: "longer-than-10@example.com", secret: BOUNCES.secret },
    { address: "a+b@example.com", secret: BOUNCES.secret },
    { address: BOUNCES.address, secret: "short" },
  ])("cannot come to %j", (bounces) => {
    expect(() => email({ from, bounces })).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
  });

  test("can be told by a header of the provider's", async () => {
    const { headers } = await handedOver({ messageIdHeader: "X-PM-Metadata-belfry-message-id" });
    expect(headers["X-PM-Metadata-belfry-message-id"]).toBe(`<${ID}@example.com>`);
    expect(() => email({ from, messageIdHeader: "X: y" })).toThrow(/no name of a header/);
  });
});

describe("a signature", () => {
  const servers = mailServers();
  afterEach(() => servers.closeAll());
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const dkim = { domainName: "example.com", keySelector: "belfry", privateKey };

  test("is on each mail, and right by the rules of RFC 6376", async () => {
    const server = await servers.start();
    await email({ transport: server.url, from, dkim }).deliver(taskOf({ message: "One  two \n\nthree" }), noAbort);
    const { raw } = only(server.mails);
    const end = raw.indexOf("\r\n\r\n");
    const headers = raw
      .slice(0, end)
      .replaceAll(/\r\n[ \t]+/g, " ")
      .split("\r\n");
    const headerOf = (name: string) => headers.find((line) => line.toLowerCase().startsWith(`${name}:`)) ?? "";
    const relaxed = (line: string) => {
      const colon = line.indexOf(":");
      return `${line.slice(0, colon).toLowerCase().trim()}:${line
        .slice(colon + 1)
        .replaceAll(/\s+/g, " ")
        .trim()}`;
    };
    const signature = headerOf("dkim-signature");
    const tag = (name: string) => new RegExp(`[;:]\\s*${name}=([^;]*)`).exec(signature)?.[1]?.replaceAll(/\s/g, "") ?? "";
    const body = `${raw
      .slice(end + 4)
      .replaceAll(/[ \t]+(?=\r\n)/g, "")
      .replaceAll(/[ \t]+/g, " ")
      .replace(/(\r\n)*$/, "")}\r\n`;
    expect([tag("d"), tag("s"), tag("bh")]).toEqual(["example.com", "belfry", createHash("sha256").update(body).digest("base64")]);
    const signed = [
      ...tag("h")
        .split(":")
        .map((name) => relaxed(headerOf(name.toLowerCase()))),
      relaxed(signature.replace(/\bb=[^;]*$/, "b=")),
    ];
    expect(verify("sha256", Buffer.from(signed.join("\r\n")), publicKey, Buffer.from(tag("b"), "base64"))).toBe(true);
  });

  test.each([
    { ...dkim, privateKey: "no key" },
    { ...dkim, privateKey: publicKey },
    { ...dkim, domainName: "example.com\r\nBcc: evil" },
    { ...dkim, keySelector: "" },
    { ...dkim, selector: "x" },
  ])("of %# is refused, and its key is not shown", (wrong) => {
    expect(() => email({ from, dkim: wrong })).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
    expect(() => email({ from, dkim: wrong })).not.toThrow(/BEGIN/);
  });
});

describe("an international address", () => {
  const servers = mailServers();
  afterEach(() => servers.closeAll());
  const [plain, letters] = ["jane@bücher.example", "Jürgen@bücher.example"];

  test("has its domain in ASCII where the rest is, and goes as it is to a server that knows SMTPUTF8", async () => {
    const server = await servers.start();
    const channel = email({ transport: server.url, from });
    expect(await channel.deliver(taskOf({ address: letters }), noAbort)).toMatchObject({ status: "sent" });
    expect(only(server.mails).to).toEqual([letters]);
    expect((await handedOver({}, plain)).envelope.to).toEqual(["jane@xn--bcher-kva.example"]);
  });

  test("fails for good where the server knows no such letters, and says why", async () => {
    const server = await servers.start({ hideSMTPUTF8: true, onRcptTo: (_, __, callback) => callback(smtpError(553)) });
    const outcome = await email({ transport: server.url, from }).deliver(taskOf({ address: letters }), noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringContaining("SMTPUTF8") });
  });

  test("is the same in every spelling", () => {
    const { comparableAddress } = email({ from });
    const spellings = [letters, "JÜRGEN@BÜCHER.example", "jürgen@xn--bcher-kva.example", "ju\u0308rgen@bücher.EXAMPLE"];
    expect(new Set(spellings.map((address) => comparableAddress?.(address)))).toEqual(new Set(["jürgen@xn--bcher-kva.example"]));
    expect(comparableAddress?.("no address")).toBe("no address");
  });
});

describe("the transports of a tenant", () => {
  const servers = mailServers();
  afterEach(() => servers.closeAll());

  test("are looked up once for a while, and again after a failure", async () => {
    const server = await servers.start();
    const provider = vi.fn<(tenant: string) => Promise<string | null>>();
    provider.mockRejectedValueOnce(new Error("of the host's database")).mockResolvedValue(server.url);
    const channel = email({ provider, from });
    expect(await channel.deliver(taskOf(), noAbort)).toEqual({
      ...{ status: "failed", provider: "smtp", transient: true },
      error: "the transports of this client could not be looked up",
    });
    for (const _ of [1, 2, 3]) {
      expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent" });
    }
    expect(provider.mock.calls).toEqual([["acme"], ["acme"]]);
    provider.mockResolvedValue(null);
    expect(await channel.deliver(taskOf({ tenant: "none" }), noAbort)).toMatchObject({ status: "failed", transient: false });
    expect([channel.isConfigured?.("none"), channel.isConfigured?.("acme")]).toEqual([false, true]);
  });

  test("take the attempt's time alone, if they are looked up for long", async () => {
    const channel = email({ provider: () => new Promise(() => undefined), from, timeoutMs: 50 });
    expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "failed", transient: true });
  });

  test("are tried last for a while once they were away several times in a row", async () => {
    const away = { sendMail: vi.fn(async () => Promise.reject(Object.assign(new Error("away"), { code: "ECONNECTION" }))) };
    const server = await servers.start();
    const channel = email({ transport: away, fallbackTransports: [server.url], from });
    for (const _ of Array.from({ length: 8 })) {
      expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent", note: "sent by fallback transport 1" });
    }
    expect(away.sendMail).toHaveBeenCalledTimes(5);
    const busy = {
      sendMail: vi.fn(async () =>
        Promise.reject(Object.assign(new Error("busy"), { responseCode: 450, command: "RCPT TO", response: "450 greylisted" })),
      ),
    };
    const other = email({ transport: busy, fallbackTransports: [server.url], from });
    for (const _ of Array.from({ length: 8 })) {
      await other.deliver(taskOf(), noAbort);
    }
    expect(busy.sendMail).toHaveBeenCalledTimes(8);
  });
});
