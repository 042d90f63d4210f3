import { createTransport } from "nodemailer";
import { afterEach, describe, expect, it } from "vitest";
import { email, type MailTransport } from "../src/index.ts";
import { mailServers } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

const from = "The Shop <shop@example.com>";

describe("sending", () => {
  const servers = mailServers();

  afterEach(() => servers.closeAll());

  it("tells the engine its name, schedule and time-out", () => {
    const channel = email({ from });
    const [m, h] = [60_000, 3_600_000];
    expect(channel).toMatchObject({ name: "email", retryDelaysMs: [m, 5 * m, 30 * m, 2 * h, 6 * h], timeoutMs: 31_000 });
    expect(email({ from, name: "mail", retryDelaysMs: [1] })).toMatchObject({ name: "mail", retryDelaysMs: [1] });
  });

  it("is delivered when the host takes the server's word for it, and a refusal stays a failure", async () => {
    const server = await servers.start();
    const channel = email({ transport: server.url, from, acceptedIs: "delivered" });
    expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "delivered", response: expect.stringMatching(/^250 /) });
    const outcome = await channel.deliver({ ...taskOf(), address: "nobody" }, noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: false });
    expect(() => email({ from, acceptedIs: "accepted" as never })).toThrow(/neither "sent" nor "delivered"/);
  });

  it("is empty without title, message, HTML and template, and is not handed in when a template leaves nothing", async () => {
    const nothing = { title: " ", message: "\n", data: {} };
    const channel = email({ from });
    expect(channel.isEmpty?.(nothing)).toBe(true);
    for (const something of [
      { title: "Hi" },
      { message: "Hi" },
      { data: { html_content: "<p>Hi</p>" } },
      { data: { template: "welcome" } },
    ]) {
      expect(channel.isEmpty?.({ ...nothing, ...something })).toBe(false);
    }
    expect(email({ from, templates: () => ({ text: "Hi" }) }).isEmpty?.(nothing)).toBe(false);
    const server = await servers.start();
    const outcome = await email({ transport: server.url, from, templates: () => null }).deliver({ ...taskOf(), ...nothing }, noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringMatching(/nothing in it/) });
    expect(server.mails).toEqual([]);
  });

  it("sends no mail of a type's contents without subject or without text and HTML, and says so for good", async () => {
    const server = await servers.start();
    const channel = email({ transport: server.url, from });
    const lacking = [
      { title: "", contents: { html: "" }, error: /nothing in it/ },
      { title: "Hi", message: " ", contents: { html: " " }, error: /type "note" for e-mail make a mail with neither text nor HTML/ },
      { title: "", contents: { html: "<p>Hi</p>" }, error: /make a mail with no subject/ },
    ];
    for (const { error, ...task } of lacking) {
      const outcome = await channel.deliver(taskOf({ message: "", ...task }), noAbort);
      expect(outcome).toMatchObject({ status: "failed", transient: false, error: expect.stringMatching(error) });
    }
    expect(server.mails).toEqual([]);
    // Contracts let their senders leave out either.
    await channel.deliver(taskOf({ title: "" }), noAbort);
    await channel.deliver(taskOf({ message: "" }), noAbort);
    expect(server.mails.length).toBe(2);
  });

  it("lets mail programs unsubscribe with one click where there is a link, and says nothing of it otherwise", async () => {
    const server = await servers.start();
    const channel = email({ transport: server.url, from });
    // Long enough to be folded.
    const unsubscribeUrl = `https://shop.example/belfry/unsubscribe/${"x".repeat(300)}.y`;
    await channel.deliver(taskOf({ unsubscribeUrl }), noAbort);
    await channel.deliver(taskOf(), noAbort);
    const headers = server.mails.map(({ parsed }) => parsed.headers.filter(({ key }) => key.startsWith("list-")));
    expect(headers.map((all) => all.map(({ key, value }) => [key, value.replaceAll(/\s/g, "")]))).toEqual([
      [
        ["list-unsubscribe", `<${unsubscribeUrl}>`],
        ["list-unsubscribe-post", "List-Unsubscribe=One-Click"],
      ],
      [],
    ]);
  });

  it("is sent when the server has taken the text", async () => {
    const server = await servers.start();
    const outcome = await email({ transport: server.url, from, replyTo: "help@example.com" }).deliver(taskOf(), noAbort);
    expect(outcome).toEqual({
      status: "sent",
      provider: "smtp",
      response: expect.stringMatching(/^250 /),
      messageId: "<0193c5a0-0000-7000-8000-000000000001@example.com>",
    });
    const mail = only(server.mails);
    expect([mail.from, mail.to]).toEqual(["shop@example.com", ["jane@example.com"]]);
    expect(mail.parsed).toMatchObject({
      from: { name: "The Shop", address: "shop@example.com" },
      to: [{ name: "", address: "jane@example.com" }],
      replyTo: [{ address: "help@example.com" }],
      subject: "New message",
      messageId: "<0193c5a0-0000-7000-8000-000000000001@example.com>",
    });
    expect(mail.parsed.text?.trim()).toBe("You have a new message.");
    expect(mail.parsed.html).toBeUndefined();
    expect(mail.parsed.headers).toContainEqual(expect.objectContaining({ key: "auto-submitted", value: "auto-generated" }));
  });

  it("carries text and sanitised HTML, in any script", async () => {
    const server = await servers.start();
    const title = "Grüße 🎐 — 新しいメッセージ";
    const message = "Ünïcode 😀\nzweite Zeile\n.\nnach dem Punkt";
    const data = { html_content: "<h1>Grüße 😀</h1><script>alert(1)</script><a href='//evil.test'>x</a>" };
    await email({ transport: server.url, from }).deliver(taskOf({ title, message, data }), noAbort);
    const { parsed } = only(server.mails);
    expect(parsed.subject).toBe(title);
    expect(parsed.text?.trimEnd()).toBe(message);
    expect(parsed.html?.trim()).toBe("<h1>Grüße 😀</h1><a>x</a>");
  });

  it("has the same Message-ID at every attempt", async () => {
    let failures = 1;
    const server = await servers.start({}, (accept, self) => (failures-- > 0 ? self.drop("reset") : accept()));
    const channel = email({ transport: server.url, from });
    const outcomes = [await channel.deliver(taskOf(), noAbort), await channel.deliver(taskOf({ attempt: 2 }), noAbort)];
    expect(outcomes.map(({ status }) => status)).toEqual(["failed", "sent"]);
    expect(server.mails.map(({ parsed }) => parsed.messageId)).toEqual(Array(2).fill("<0193c5a0-0000-7000-8000-000000000001@example.com>"));
  });

  it("row 48: sends a text that looks like SMTP commands as one mail to one recipient", async () => {
    const server = await servers.start();
    const smuggled = "hello\n.\nMAIL FROM:<evil@x.test>\nRCPT TO:<evil@x.test>\nDATA\nsecond\n.\n";
    const message = `${smuggled}\r\n.\r\n${smuggled}\r.\r${smuggled}`;
    await email({ transport: server.url, from }).deliver(taskOf({ message, data: { html_content: message } }), noAbort);
    const mail = only(server.mails);
    expect(mail.to).toEqual(["jane@example.com"]);
    expect(mail.parsed.text).toContain("MAIL FROM:<evil@x.test>");
  });

  it("sends to an internationalised domain by its ASCII form", async () => {
    const server = await servers.start();
    const outcome = await email({ transport: server.url, from }).deliver(taskOf({ address: "jane@bücher.example" }), noAbort);
    expect(outcome.status).toBe("sent");
    // smtp-server shows an envelope's domain in Unicode again.
    expect(only(server.mails).to).toEqual(["jane@bücher.example"]);
    expect(only(server.mails).raw).toContain("To: jane@xn--bcher-kva.example\r\n");
  });

  it("sends each tenant's mail by its own provider and under its own name, and no mail for a tenant without a provider", async () => {
    const [acme, other] = [await servers.start(), await servers.start()];
    const providers: Record<string, MailTransport> = { acme: acme.url, other: createTransport({ host: "127.0.0.1", port: other.port }) };
    const channel = email({ provider: (tenant) => providers[tenant] ?? null, from: (tenant) => `${tenant}@${tenant}.example` });
    expect(["acme", "other", "third"].map((tenant) => channel.isConfigured?.(tenant))).toEqual([true, true, false]);
    for (const tenant of ["acme", "other"]) {
      await channel.deliver(taskOf({ tenant }), noAbort);
    }
    expect([only(acme.mails).from, only(other.mails).from]).toEqual(["acme@acme.example", "other@other.example"]);
    expect(only(other.mails).parsed.messageId).toBe("<0193c5a0-0000-7000-8000-000000000001@other.example>");
    expect(await channel.deliver(taskOf({ tenant: "third" }), noAbort)).toMatchObject({ status: "failed", transient: false });
  });

  it("is not configured without a transport", () => {
    expect(email({ transport: undefined, from }).isConfigured?.("acme")).toBe(false);
    expect(email({ transport: "smtp://localhost", from }).isConfigured?.("acme")).toBe(true);
  });

  it("logs in over TLS with the URL's credentials", async () => {
    const server = await servers.start({
      onAuth: ({ username, password }, _session, callback) => callback(null, { user: password === "s3cret" ? (username ?? "") : "nobody" }),
    });
    // The server signs its own certificate.
    const transport = createTransport({ url: `smtp://me:s3cret@127.0.0.1:${server.port}`, tls: { rejectUnauthorized: false } });
    expect(await email({ transport, from }).deliver(taskOf(), noAbort)).toMatchObject({ status: "sent" });
    expect(only(server.mails)).toMatchObject({ secure: true, user: "me" });
  });

  it("sends through the host's pool, and through any object with sendMail", async () => {
    const server = await servers.start();
    const pool = createTransport({ pool: true, host: "127.0.0.1", port: server.port, maxConnections: 1 });
    const channel = email({ transport: pool, from });
    for (let mail = 0; mail < 3; mail += 1) {
      expect(await channel.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent" });
    }
    expect([server.mails.length, server.connections()]).toEqual([3, 1]);
    pool.close();

    const sent: unknown[] = [];
    const api = email({ transport: { sendMail: async (mail) => ({ response: String(sent.push(mail)) }) }, from });
    expect(await api.deliver(taskOf(), noAbort)).toMatchObject({ status: "sent", response: "1" });
    expect(sent[0]).toMatchObject({ to: { name: "", address: "jane@example.com" }, disableFileAccess: true, disableUrlAccess: true });
  });

  it.each([
    ["a URL of another scheme", { transport: "http://user:hunter2@mail.example.com" }],
    ["a URL without host", { transport: "smtp:user:hunter2" }],
    ["a pool by URL", { transport: "smtp://user:hunter2@mail.example.com?pool=true" }],
    ["what is no transport", { transport: {} as MailTransport }],
    ["a bad fallback transport", { transport: "smtp://mail.example.com", fallbackTransports: ["hunter2"] }],
    ["transport and provider", { transport: "smtp://mail.example.com", provider: () => null }],
    ["a sender without domain", { from: "shop" }],
    ["two senders", { from: "a@example.com, b@example.com" }],
    ["a sender's name with a line break", { from: { name: "a\r\nBcc: evil@x.test", address: "a@example.com" } }],
    ["a bad replyTo", { replyTo: "b@example.com>" }],
  ])("refuses at once, without showing a password: %s", (_what, options) => {
    expect(() => email({ from, ...options })).toThrow(expect.objectContaining({ code: "CONFIGURATION" }));
    expect(() => email({ from, ...options })).not.toThrow("hunter2");
  });
});
