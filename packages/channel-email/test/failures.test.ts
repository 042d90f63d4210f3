import { createServer } from "node:net";
import { createTransport } from "nodemailer";
import { afterEach, describe, expect, it, vi } from "vitest";
import { email } from "../src/index.ts";
import { mailServers, smtpError } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

const from = "shop@example.com";

describe("failures", () => {
  const servers = mailServers();

  afterEach(() => servers.closeAll());

  it.each([
    [421, true],
    [450, true],
    [451, true],
    [452, true],
    [550, false],
    [552, false],
    [553, false],
    [554, false],
  ])("takes %i at every command for transient: %s", async (code, transient) => {
    const atMail = await servers.start({ onMailFrom: (_address, _session, callback) => callback(smtpError(code)) });
    const atRcpt = await servers.start({
      onRcptTo: (_address, _session, callback) => callback(smtpError(code, "mailbox <jane@example.com>")),
    });
    const atData = await servers.start({
      onData: (stream, _session, callback) => {
        stream.resume();
        stream.on("end", () => callback(smtpError(code)));
      },
    });
    const [mail, rcpt, data] = await Promise.all(
      [atMail, atRcpt, atData].map(({ url }) => email({ transport: url, from }).deliver(taskOf(), noAbort)),
    );
    for (const outcome of [mail, rcpt, data]) {
      expect(outcome).toMatchObject({ status: "failed", provider: "smtp", transient });
    }
    if (code !== 421) {
      expect(rcpt).toMatchObject({ error: `the mail server answered ${code} to RCPT TO`, response: `${code} mailbox <jane@example.com>` });
      expect(data).toMatchObject({ error: `the mail server answered ${code} to DATA` });
    }
  });

  it("says of an answer to RCPT TO that nobody is there, and of no other refusal", async () => {
    const isHard: Readonly<Record<string, boolean>> = {
      "550 5.1.1 no such user": true,
      "550-5.1.1 The account does not exist": true,
      "550 5.1.10 recipient not found": true,
      "553 5.1.3 bad recipient address syntax": true,
      "554 5.1.1 unknown": true,
      "550 Unknown user": true,
      "550 User unknown": true,
      "550 No such user here": true,
      "550 no such local user": true,
      "550 Invalid recipient": true,
      "550 <jane@example.com>: recipient not found": true,
      "550 Mailbox jane@example.com does not exist": true,
      "550 Mailbox jane@clients.hosting.example does not exist": true,
      "550 the address doesn't exist": true,
      "550 sorry, no mailbox here by that name": true,
      "550 no such user, code 5.1.1.": true,
      "551 user not local": true,
      "550 no mailbox (#5.1.1)": true,
      "550 5.1.8 sender address rejected: domain not found": false,
      "550 5.1.0 sender address rejected": false,
      "550 5.7.1 blocked by policy": false,
      "553 not in my list of allowed rcpthosts (#5.7.1)": false,
      "550 relay not permitted": false,
      "550 Access denied - see http://example.com, 10.5.1.1": false,
      "552 5.2.2 mailbox full": false,
      "552 mailbox full": false,
      "554 transaction failed": false,
      "550 Administrative prohibition": false,
      "550 authorization required": false,
      "550 Mailbox quota exceeded": false,
      "550 mailbox is full": false,
      "550 user over quota": false,
      "550 Too many recipients": false,
      "550 Message rate limit exceeded": false,
      "550 Rejected": false,
      "550 Message rejected": false,
      "550 Unrouteable address": false,
      "550 not authorized to send": false,
      "550 Callout verification failed": false,
      "550 greylisted, try again later": false,
      "550 Connection frequency limited": false,
      "550 rejected because 1.2.3.4 is listed at dnsbl.sorbs.net": false,
      "550 rejected because 1.2.3.4 is in a black list": false,
      "550 You must check for new mail before sending": false,
      "550 we do not accept mail from your host": false,
      "550 Your host's reverse DNS does not match": false,
      "550 refused: see 5.7.1.": false,
      "550 5.7.1: rejected": false,
      "550 5.4.1 Recipient address rejected: Access denied": false,
      "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)": false,
      "553 Requested action not taken: mailbox name not allowed": false,
      "551 not our customer": false,
      "550 Service unavailable": false,
      "550 Temporary local problem": false,
      "550 Requested action not taken: mailbox unavailable": false,
      "550 user unknown or over quota": false,
      "550 recipient not found, sender denied": false,
      "550 no such user, try again later": false,
      "550 the PTR record of your host does not exist": false,
      "550 domain not found": false,
      "550 Return address unknown": false,
      "550 Your address is not known here": false,
      "550 IP address not found in the register": false,
      "550 host address unknown": false,
      "550 MX for address not found": false,
      "450 4.1.1 no such user yet": false,
    };
    const lines = Object.keys(isHard);
    const answer = (address: string) => {
      const line = lines[Number(/\d+/.exec(address)?.[0])] ?? "";
      return smtpError(Number(line.slice(0, 3)), line.slice(4));
    };
    const atRcpt = await servers.start({ onRcptTo: ({ address }, _session, callback) => callback(answer(address)) });
    const channel = email({ transport: atRcpt.url, from });
    const outcomes = await Promise.all(
      lines.map(async (line, index) => [line, await channel.deliver(taskOf({ address: `u${index}@example.com` }), noAbort)] as const),
    );
    const failures = outcomes.flatMap(([line, outcome]) => (outcome.status === "failed" ? [[line, outcome] as const] : []));
    const found = Object.fromEntries(failures.map(([line, { isHardBounce }]) => [line, isHardBounce === true]));
    const codes = Object.fromEntries(failures.map(([line, { code }]) => [line, code]));
    expect(found).toEqual(isHard);
    expect(codes).toMatchObject({
      "550 5.1.1 no such user": "550 5.1.1",
      "550 no mailbox (#5.1.1)": "550 5.1.1",
      "550 refused: see 5.7.1.": "550 5.7.1",
      "550 Access denied - see http://example.com, 10.5.1.1": "550",
      "450 4.1.1 no such user yet": "450 4.1.1",
    });
  });

  it("says it of no answer to another command, and of no address that the server may be unable to read", async () => {
    const refuses = smtpError(550, "5.1.1 no such user");
    const atMail = await servers.start({ onMailFrom: (_address, _session, callback) => callback(refuses) });
    const atData = await servers.start({
      onData: (stream, _session, callback) => {
        stream.resume();
        stream.on("end", () => callback(refuses));
      },
    });
    const atRcpt = await servers.start({ onRcptTo: (_address, _session, callback) => callback(refuses) });
    for (const [server, address] of [
      [atMail, "jane@example.com"],
      [atData, "jane@example.com"],
      [atRcpt, "jäne@example.com"],
    ] as const) {
      const outcome = await email({ transport: server.url, from }).deliver(taskOf({ address }), noAbort);
      expect(outcome).toMatchObject({ status: "failed", transient: false });
      expect(outcome).not.toHaveProperty("isHardBounce");
    }
  });

  it("tries again when the connection breaks before the answer, and not when it breaks after it", async () => {
    const before = await servers.start({}, (_accept, server) => server.drop("reset"));
    expect(await email({ transport: before.url, from }).deliver(taskOf(), noAbort)).toMatchObject({ status: "failed", transient: true });
    const after = await servers.start({}, (accept, server) => {
      accept();
      server.drop("flushed");
    });
    expect(await email({ transport: after.url, from }).deliver(taskOf(), noAbort)).toMatchObject({ status: "sent" });
  });

  it("tries again when no server answers, and names the cause and no host", async () => {
    const server = await servers.start();
    await server.close();
    expect(await email({ transport: server.url, from }).deliver(taskOf(), noAbort)).toEqual({
      status: "failed",
      provider: "smtp",
      transient: true,
      error: "the mail server could not be reached, or broke off",
      code: "ECONNREFUSED",
    });
  });

  it("gives up on a server that never greets, and ends its connection", async () => {
    const closed = vi.fn();
    const silent = createServer((socket) => socket.on("error", () => undefined).on("close", closed));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const outcome = await email({ transport: `smtp://127.0.0.1:${port}`, from, timeoutMs: 200 }).deliver(taskOf(), noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: "the mail server did not answer in time" });
    await vi.waitFor(() => expect(closed).toHaveBeenCalled());
    silent.close();
  });

  it("ends its connection when the engine aborts", async () => {
    const abort = new AbortController();
    const server = await servers.start({ onRcptTo: () => abort.abort() });
    const outcome = await email({ transport: server.url, from }).deliver(taskOf(), abort.signal);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: "the mail server did not answer in time" });
    await vi.waitFor(() => expect(server.openConnections()).toBe(0));
    expect(server.mails).toHaveLength(0);
  });

  it("does not wait for a transport that ignores the abort", async () => {
    const transport = { sendMail: () => new Promise<never>(() => undefined) };
    expect(await email({ transport, from, timeoutMs: 50 }).deliver(taskOf(), noAbort)).toMatchObject({ status: "failed", transient: true });
  });

  it("row 49: sends neither login nor mail over plain text when TLS is required and STARTTLS was stripped", async () => {
    const onAuth = vi.fn();
    const server = await servers.start({ onAuth, disabledCommands: ["STARTTLS"], allowInsecureAuth: true });
    const transport = `smtp://me:s3cret@127.0.0.1:${server.port}`;
    expect(await email({ transport, from, requireTLS: true }).deliver(taskOf(), noAbort)).toMatchObject({
      status: "failed",
      transient: true,
      error: "no TLS connection could be made to the mail server",
    });
    expect(onAuth).not.toHaveBeenCalled();
    expect(server.mails).toHaveLength(0);
  });

  it("tries again after a refused login, and shows no password", async () => {
    const server = await servers.start({
      onAuth: (_auth, _session, callback) => callback(smtpError(535, "bad login")),
      disabledCommands: ["STARTTLS"],
      allowInsecureAuth: true,
    });
    const outcome = await email({ transport: `smtp://me:s3cret@127.0.0.1:${server.port}`, from }).deliver(taskOf(), noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: true, error: "the mail server refused the login" });
    expect(JSON.stringify(outcome)).not.toContain("s3cret");
  });

  it("sends by the next transport after a transient failure", async () => {
    const busy = await servers.start({ onRcptTo: (_address, _session, callback) => callback(smtpError(450)) });
    const down = await servers.start();
    await down.close();
    const good = await servers.start();
    const channel = email({ transport: busy.url, fallbackTransports: [down.url, good.url], from });
    expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent", note: "sent by fallback transport 2" });
    expect(only(good.mails).parsed.messageId).toBe("<0193c5a0-0000-7000-8000-000000000001@example.com>");
  });

  it("sends by the next transport when one stays silent, within its time", async () => {
    const tarpit = await servers.start({ onConnect: () => undefined });
    const good = await servers.start();
    const channel = email({ provider: () => [tarpit.url, createTransport(good.url)], from, timeoutMs: 2_000 });
    expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent", note: "sent by fallback transport 1" });
  });

  it("asks no other transport when one has refused the mail for good", async () => {
    const refusing = await servers.start({ onRcptTo: (_address, _session, callback) => callback(smtpError(550)) });
    const other = await servers.start();
    const channel = email({ transport: refusing.url, fallbackTransports: [other.url], from });
    expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "failed", transient: false });
    expect(other.connections()).toBe(0);
  });

  it("fails when the transport says that it sent to another recipient", async () => {
    const transport = { sendMail: async () => ({ envelope: { to: ["evil@x.test"] } }) };
    expect(await email({ transport, from }).deliver(taskOf(), noAbort)).toMatchObject({ status: "failed", transient: false });
  });
});
