import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { email } from "../src/index.ts";
import { type MailServer, mailServers } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

const from = "shop@example.com";

describe("injection", () => {
  const servers = mailServers();
  let server: MailServer;

  beforeEach(async () => {
    server = await servers.start();
  });

  afterEach(() => servers.closeAll());

  it.each([
    "a@example.com",
    "first.last+tag@sub.example.co",
    "o'neil@example.com",
    "a@bücher.example",
    "A@EXAMPLE.COM",
    "x@xn--bcher-kva.example",
  ])("takes the recipient %s", async (address) => {
    const channel = email({ transport: server.url, from });
    expect(channel.invalidRecipient(address)).toBeNull();
    expect(await channel.deliver(taskOf({ address }), noAbort)).toMatchObject({ status: "sent" });
    expect(only(server.mails).to).toHaveLength(1);
  });

  it.each([
    "b@x.test\r\nBcc: evil@x.test",
    "b@x.test\nBcc: evil@x.test",
    "b@x.test\r\n",
    "b@x.test\u0000",
    "a@x.test, b@x.test",
    "a@x.test;b@x.test",
    "a@x.test b@x.test",
    "friends: a@x.test, b@x.test;",
    '"evil@x y"@in.test',
    '"a b"@x.test',
    "Evil <evil@x.test>",
    "<evil@x.test>",
    "a@x.test(comment)",
    "a@b@x.test",
    "a@[127.0.0.1]",
    "a@127.0.0.1",
    "a@localhost",
    "a@x..test",
    "a@-x.test",
    "a@x.test.",
    "a@x%2etest",
    "a@x\t.test",
    "a@b＠x.test",
    "a@bücher.ex ample",
    ".a@x.test",
    "a..b@x.test",
    " a@x.test",
    "@x.test",
    "a@",
    "user_123",
    "",
    `${"a".repeat(65)}@x.test`,
    `a@${"b".repeat(64)}.test`,
    `a@${"b.".repeat(130)}test`,
  ])("rows 44, 45: refuses the recipient %j, and sends it nothing", async (address) => {
    const channel = email({ transport: server.url, from });
    expect(channel.invalidRecipient(address)).toEqual(expect.any(String));
    expect(await channel.deliver(taskOf({ address }), noAbort)).toMatchObject({ status: "failed", transient: false });
    expect(server.connections()).toBe(0);
  });

  it("row 45: gives the server exactly the recipient it was given, for every address that it accepts", async () => {
    const channel = email({ transport: { sendMail: async ({ envelope }) => ({ envelope, response: envelope.to.join() }) }, from });
    const hostile = fc.string({ unit: fc.constantFrom(..."ab.@,;:<>()[]\"'\\ \r\n\t\u0000%=?_äé＠"), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(hostile, fc.constantFrom("", "@x.test", "@in.test", "@bücher.example"), async (start, end) => {
        const address = `${start}${end}`;
        const outcome = await channel.deliver(taskOf({ address }), noAbort);
        if (channel.invalidRecipient(address) === null) {
          expect(outcome).toMatchObject({ status: "sent", response: expect.stringMatching(/^[^@,;<>"\s]+@[\p{L}0-9.-]+$/u) });
        } else {
          expect(outcome).toMatchObject({ status: "failed", transient: false });
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each(["Hi\r\nBcc: evil@x.test", "Hi\nBcc: evil@x.test", "Hi\rBcc: evil@x.test", "Hi\u0000"])(
    "row 46: fails for good at the subject %j",
    async (title) => {
      const outcome = await email({ transport: server.url, from }).deliver(taskOf({ title }), noAbort);
      expect(outcome).toMatchObject({ status: "failed", transient: false, error: "the subject contains a line break or a NUL character" });
      expect(server.connections()).toBe(0);
    },
  );

  it("row 46: fails for good at an id that cannot be part of a Message-ID", async () => {
    const outcome = await email({ transport: server.url, from }).deliver(taskOf({ id: "a>\r\nBcc: evil@x.test" }), noAbort);
    expect(outcome).toMatchObject({ status: "failed", transient: false });
  });

  it("row 46: puts no line break from a template's values into the subject", async () => {
    const templates = { hello: { subject: "Hello {{sender}}" } };
    const data = { template: "hello", sender: "Jane\r\nBcc: evil@x.test" };
    await email({ transport: server.url, from, templates }).deliver(taskOf({ data }), noAbort);
    const mail = only(server.mails);
    expect([mail.to, mail.parsed.subject, mail.parsed.bcc]).toEqual([["jane@example.com"], "Hello Jane Bcc: evil@x.test", undefined]);
  });

  it.each([
    [{ attachments: [{ filename: "a", path: "/etc/passwd" }] }, 'attachments.0 must have filename and url only, has "path"'],
    [{ attachments: [{ filename: "a", href: "http://127.0.0.1/" }] }, 'attachments.0 must have filename and url only, has "href"'],
    [{ attachments: [{ raw: "x" }] }, 'attachments.0 must have filename and url only, has "raw"'],
    [
      { attachments: [{ filename: "a", url: "https://example.com/", envelope: {} }] },
      'attachments.0 must have filename and url only, has "envelope"',
    ],
    [
      { attachments: [{ filename: "a", url: "https://example.com/", content: "x" }] },
      'attachments.0 must have filename and url only, has "content"',
    ],
    [{ attachments: [{ filename: "a\r\nB: c", url: "https://example.com/" }] }, expect.stringContaining("must have a filename")],
    [{ attachments: [{ filename: "cv\u202efdp.exe", url: "https://example.com/" }] }, expect.stringContaining("turn the text around")],
    [{ attachments: [{ filename: "a\u2066b\u2069.pdf", url: "https://example.com/" }] }, expect.stringContaining("turn the text around")],
    [{ attachments: [{ filename: "a\u2028b.pdf", url: "https://example.com/" }] }, expect.stringContaining("must have a filename")],
    [{ attachments: [{ filename: "../a", url: "https://example.com/" }] }, expect.stringContaining("must have a filename")],
    [{ attachments: [{ url: "https://example.com/" }] }, expect.stringContaining("must have a filename")],
    [{ attachments: [{ filename: "a" }] }, "attachments.0 has a url that must be a text"],
    [{ attachments: [{ filename: "a", url: "file:///etc/passwd" }] }, "attachments.0 has a url that must begin with https://"],
    [{ attachments: [{ filename: "a", url: "https://127.1/" }] }, expect.stringContaining("private, local or reserved")],
    [{ attachments: ["a"] }, "attachments.0 must be an object with filename and url"],
    [{ attachments: "a" }, "attachments must be a list of at most 10"],
    [{ attachments: Array(11).fill({ filename: "a", url: "https://example.com/" }) }, "attachments must be a list of at most 10"],
    [{ raw: "From: evil" }, "raw is not taken for e-mail; use content, html_content and attachments"],
    [{ envelope: { to: ["evil@x.test"] } }, "envelope is not taken for e-mail; use content, html_content and attachments"],
    [{ html_content: 1 }, "html_content must be a text of at most 100000 characters"],
    [{ html_content: "x".repeat(100_001) }, "html_content must be a text of at most 100000 characters"],
    [{ template: {} }, "template must be the name of a template"],
    [{ fallback_template: 1 }, "fallback_template must be the name of a template"],
  ])("row 47: refuses data %#, and sends nothing with it", async (data, problem) => {
    const channel = email({ transport: server.url, from });
    expect(channel.invalidData?.(data)).toEqual([problem]);
    expect(await channel.deliver(taskOf({ data }), noAbort)).toMatchObject({ status: "failed", transient: false, error: problem });
    expect(server.connections()).toBe(0);
  });

  it("takes ordinary data", () => {
    const data = {
      template: "welcome",
      html_content: "<h1>Welcome!</h1>",
      attachments: [{ filename: "welcome.pdf", url: "https://example.com/welcome.pdf" }],
      priority: "high",
      rendered: null,
    };
    expect(email({ from }).invalidData?.(data)).toEqual([]);
    expect(email({ from }).invalidData?.({ attachments: null, html_content: null, template: null })).toEqual([]);
  });
});
