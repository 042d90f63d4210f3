import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type EmailTemplates, email } from "../src/index.ts";
import { type MailServer, mailServers } from "./mail-server.ts";
import { noAbort, only, taskOf } from "./task.ts";

describe("templates", () => {
  const servers = mailServers();
  let server: MailServer;

  beforeEach(async () => {
    server = await servers.start();
  });

  afterEach(() => servers.closeAll());

  async function deliver(templates: EmailTemplates | undefined, changes: Parameters<typeof taskOf>[0]) {
    const options = { transport: server.url, from: "shop@example.com" };
    return email(templates ? { ...options, templates } : options).deliver(taskOf(changes), noAbort);
  }

  /** The text that a template renders. */
  async function rendered(text: string, changes: Parameters<typeof taskOf>[0] = {}) {
    await deliver({ t: { text } }, { ...changes, data: { template: "t", ...changes.data } });
    return only(server.mails).parsed.text?.trimEnd();
  }

  it("fills names from the notification and its data, escaped in HTML only", async () => {
    const welcome = {
      subject: "{{ sender }} in {{room.name}}",
      text: "{{title}}: {{message}} ({{recipient}}, {{room_id}}, {{count}}, {{urgent}})",
      html: '<style>p { color: red }</style><p title="{{sender}}">{{message}}</p>',
    };
    const data = { template: "welcome", sender: `<b>"J" & 'D'</b>`, room: { name: "General" }, count: 3, urgent: true };
    const outcome = await deliver({ welcome }, { title: "Hi", message: "<img onerror=alert(1)>", roomId: "r1", data });
    expect(outcome).toMatchObject({ status: "sent" });
    expect(outcome).not.toHaveProperty("note");
    const { parsed } = only(server.mails);
    expect(parsed.subject).toBe(`<b>"J" & 'D'</b> in General`);
    expect(parsed.text?.trimEnd()).toBe("Hi: <img onerror=alert(1)> (jane@example.com, r1, 3, true)");
    expect(parsed.html?.trim()).toBe(
      '<style>p { color: red }</style><p title="&lt;b&gt;&quot;J&quot; &amp; &#39;D&#39;&lt;/b&gt;">&lt;img onerror=alert(1)&gt;</p>',
    );
  });

  it.each([
    "{{constructor.constructor('return process')()}}",
    "{{constructor}}",
    "{{constructor.name}}",
    "{{__proto__}}",
    "{{toString}}",
    "{{sender.length}}",
    "{{#each list}}x{{/each}}",
    "{{> partial}}",
    "{{{message",
    "{{ }}",
    "{{missing}}",
    "{{list}}",
    "{{a-b..c}}",
    "$message",
    "<%= message %>",
  ])("row 20: leaves %s as it is", async (text) => {
    expect(await rendered(text, { data: { sender: "Jane", list: ["a"] } })).toBe(text);
  });

  it("fills no placeholders in filled-in values", async () => {
    expect(await rendered("{{message}}", { message: "{{sender}} $& $1", data: { sender: "Jane" } })).toBe("{{sender}} $& $1");
  });

  it("puts only links to the web or a mailbox into HTML", async () => {
    const html = '<a href="{{good}}">a</a><a href={{bad}}>b</a><img src=\'{{bad}}\'><a href="https://example.com/{{bad}}">c</a>';
    await deliver({ t: { html } }, { data: { template: "t", good: "https://example.com/?a=1&b=2", bad: "javascript:alert(1)" } });
    expect(only(server.mails).parsed.html?.trim()).toBe(
      '<a href="https://example.com/?a=1&amp;b=2">a</a><a href=#>b</a><img src=\'#\'><a href="https://example.com/javascript:alert(1)">c</a>',
    );
  });

  it("keeps the parts that the template does not write, and prefers its HTML to the sender's", async () => {
    const data = { template: "t", html_content: "<p>sender</p>" };
    await deliver({ t: { subject: "From {{recipient}}" } }, { data });
    const { parsed } = only(server.mails);
    expect([parsed.subject, parsed.text?.trimEnd(), parsed.html?.trim()]).toEqual([
      "From jane@example.com",
      "You have a new message.",
      "<p>sender</p>",
    ]);
  });

  it.each([
    ["one that is not registered", { other: { text: "x" } }],
    ["one named like an object's own", {}],
    ["one where there are none", undefined],
  ])("ignores an unknown template and says so: %s", async (_what, templates) => {
    const outcome = await deliver(templates, { data: { template: "toString" } });
    expect(outcome).toMatchObject({ status: "sent", note: 'the template "toString" is not known; the content was sent' });
    expect(only(server.mails).parsed.text?.trimEnd()).toBe("You have a new message.");
  });

  it("uses the fallback's template for a fallback", async () => {
    const templates = { first: { text: "first" }, second: { text: "second" } };
    const data = { template: "first", fallback_template: "second" };
    await deliver(templates, { data });
    await deliver(templates, { data, isFallback: true });
    await deliver(templates, { data: { template: "first" }, isFallback: true });
    expect(server.mails.map(({ parsed }) => parsed.text?.trimEnd())).toEqual(["first", "second", "first"]);
  });

  it("lets a function of the host write the mail, or leave it unchanged", async () => {
    const templates: EmailTemplates = async (task) =>
      task.data.template === "mine" ? { text: `for ${task.recipient}`, html: "<b>x</b>" } : null;
    await deliver(templates, { data: { template: "mine" } });
    await deliver(templates, {});
    expect(server.mails.map(({ parsed }) => parsed.text?.trimEnd())).toEqual(["for jane@example.com", "You have a new message."]);
    expect(server.mails[0]?.parsed.html?.trim()).toBe("<b>x</b>");
  });

  it("leaves the mail to the type where the type says something over e-mail; what it leaves out is the task's", async () => {
    const templates: EmailTemplates = () => ({ subject: "template", text: "template", html: "template" });
    const html = "<p onclick=x>its own</p>";
    await deliver(templates, { contents: { subject: "Its subject", html, text: "Its text" }, data: { html_content: "<i>y</i>" } });
    await deliver(templates, { contents: { html } });
    expect(server.mails.map(({ parsed }) => [parsed.subject, parsed.text?.trimEnd(), parsed.html?.toString().trim()])).toEqual([
      ["Its subject", "Its text", html],
      ["New message", "You have a new message.", html],
    ]);
    const broken = await deliver(undefined, { contents: { subject: "a\r\nBcc: evil@x.test" } });
    expect(broken).toMatchObject({ status: "failed", transient: false });
  });

  it("fails for good when the function throws or writes a line break into the subject, and hides its message", async () => {
    const throwing = () => {
      throw new TypeError("password hunter2");
    };
    expect(await deliver(throwing, {})).toEqual({
      status: "failed",
      provider: "smtp",
      transient: false,
      error: "the template function threw TypeError",
    });
    expect(await deliver(() => ({ subject: "a\r\nBcc: evil@x.test" }), {})).toMatchObject({ status: "failed", transient: false });
    expect(server.mails).toHaveLength(0);
  });
});
