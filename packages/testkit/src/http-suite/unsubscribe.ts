import { defineTypes } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { recorder } from "../host/index.ts";
import type { HttpHarness, Mounting } from "./harness.ts";
import { useSetting } from "./setting.ts";

const PUBLIC_URL = "https://mail.example/base";
const SECRET = "a secret of the suite, at least 32 characters long";

const types = defineTypes({
  comment: { label: "Comment", category: "social <b>&", channels: ["email"] },
  mention: { label: "Mention", category: "social <b>&", channels: ["email"] },
  reply: { label: "Reply", channels: { email: { default: "off" } } },
  report: { label: "Weekly report", channels: ["email", "chat"] },
  invoice: { label: "Invoice", channels: ["email"], required: true },
});

const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** Tests the links of mails, with which a user switches them off. */
export function unsubscribeSuite(harness: HttpHarness): void {
  const mountings: readonly Mounting[] = [{}, { prefix: "/deep/er" }, { parseFirst: true }];
  describe.each(mountings)("unsubscribe, mounted as %j", (mounting) => {
    // Whoever is called an address is none: every user has one in the recorder's words.
    const channels = ["email", "chat"].map((name) => recorder({ name, isAddress: (recipient) => recipient.includes("@") }));
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@x.cc`, chat: `${id}@chat` }]));
    const needs = { types: types as never, channels, directory, publicUrl: PUBLIC_URL, linkSecret: ["x".repeat(32), SECRET] };
    const setting = useSetting(harness, {}, mounting, needs);

    /** The link in the mail of one notification, as it is reached in this test. */
    async function linkOf(userId: string, type: string, tenant = setting.service.tenantId): Promise<string> {
      const notifications = setting.service.tenant(tenant);
      await notifications.create({ to: userId, type, title: "Hello" });
      await setting.service.runDue();
      const url = channels[0]?.of(userId).find((task) => task.tenant === tenant && task.type === type)?.unsubscribeUrl ?? "";
      expect(url).toMatch(/^https:\/\/mail\.example\/base\/belfry\/unsubscribe\/[\w-]+\.[\w-]+$/);
      return url.replace(PUBLIC_URL, setting.url);
    }

    async function ask(url: string, init: RequestInit = {}) {
      const response = await fetch(url, init);
      return { status: response.status, headers: response.headers, text: await response.text() };
    }

    const oneClick = (url: string) => ask(url, { method: "POST", headers: FORM, body: "List-Unsubscribe=One-Click" });
    const choicesOf = async (userId: string, tenant = setting.service.tenantId) => {
      const { choices } = await setting.service.tenant(tenant).preferences.list(userId);
      return choices.map(({ scope, name, channel, value }) => `${scope} ${name} ${channel} ${value}`);
    };

    test("row 50: GET shows what it is about, in the reader's language, and changes nothing", async () => {
      const url = await linkOf("ann", "comment");
      const english = await ask(url, { headers: { "accept-language": "fr, en;q=0.8, de;q=0.7" } });
      expect(english.status).toBe(200);
      expect(english.text).toContain('<html lang="en">');
      expect(english.text).toContain("Do you no longer want to get “Social &lt;b&gt;&amp;” by e-mail?");
      expect(Object.fromEntries(english.headers)).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-store",
        "content-security-policy": expect.stringContaining("default-src 'none'"),
        "x-robots-tag": "noindex",
      });
      expect(english.headers.get("set-cookie")).toBeNull();
      const german = await ask(`${url}/`, { headers: { "accept-language": "de-AT" } });
      expect(german.text).toContain("Möchten Sie „Social &lt;b&gt;&amp;“ nicht mehr per E-Mail bekommen?");
      const report = await ask(await linkOf("ann", "report"));
      expect(report.text).toContain("“Weekly report” by e-mail");
      expect(await ask(url, { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
      expect(await choicesOf("ann")).toEqual([]);
    });

    test("one click of a mail program switches the category off, else the type, for this user, tenant and channel; again does no harm", async () => {
      const url = await linkOf("bob", "comment");
      expect((await oneClick(url)).text).toContain("You will no longer get “Social &lt;b&gt;&amp;” by e-mail.");
      expect((await oneClick(url)).status).toBe(200);
      expect(await choicesOf("bob")).toEqual(["category social <b>& email off"]);
      expect((await oneClick(await linkOf("bob", "report", "acme"))).status).toBe(200);
      expect([await choicesOf("bob"), await choicesOf("bob", "acme")]).toEqual([
        ["category social <b>& email off"],
        ["type report email off"],
      ]);
      expect(await choicesOf("ann")).toEqual([]);
    });

    test("the form of the page works, and one of several parts; a user's own choice for the type gives way", async () => {
      await setting.service.preferences.set("eve", { type: "comment", channel: "email" }, "immediate");
      const url = await linkOf("eve", "comment");
      const [, name = "", value = ""] = /name="([^"]+)" value="([^"]+)"/.exec((await ask(url)).text) ?? [];
      const origin = new URL(url).origin;
      const posted = await ask(url, {
        method: "POST",
        headers: { ...FORM, origin },
        body: new URLSearchParams({ [name]: value }).toString(),
      });
      expect(posted.status).toBe(200);
      expect((await choicesOf("eve")).toSorted()).toEqual(["category social <b>& email off", "type comment email off"]);
      const parts = new FormData();
      parts.append("List-Unsubscribe", "One-Click");
      expect((await ask(await linkOf("eve", "report"), { method: "POST", body: parts })).status).toBe(200);
      expect(await choicesOf("eve")).toContain("type report email off");
    });

    /** The links in the mails of a comment and a reply by a topic and in a group, and whether mails still come by them. */
    async function byPlaces(userId: string) {
      const { service } = setting;
      await service.topics.subscribe(`post:${userId}`, userId);
      const send = async () => {
        channels[0]?.clear();
        await service.create({ topic: `post:${userId}`, type: "reply", title: "By a topic" });
        await service.create({ to: userId, type: "comment", title: "In a group", group: `thread ${userId}` });
        await service.runDue();
        const tasks = channels[0]?.of(userId) ?? [];
        return ["reply", "comment"].map(
          (type) => tasks.find((task) => task.type === type)?.unsubscribeUrl?.replace(PUBLIC_URL, setting.url) ?? null,
        );
      };
      return { send, links: await send() };
    }

    test("row 50: what the user had switched on for the topic or group of a mail gives way, too, and comes back", async () => {
      const { preferences } = setting.service;
      await preferences.set("ivy", { topic: "post:ivy", channel: "email" }, "on");
      await preferences.set("ivy", { group: "thread ivy" }, "immediate");
      await preferences.set("ivy", { topic: "post:8", channel: "email" }, "on");
      const { send, links } = await byPlaces("ivy");
      const [reply = "", comment = ""] = links.map((link) => link ?? "");
      const of = async (url: string) => /<p>(.*?)<\/p>/.exec((await ask(url)).text)?.[1];
      expect((await oneClick(reply)).text).toContain("You will no longer get “Reply” by e-mail.");
      expect(await send()).toEqual([null, expect.any(String)]);
      // The category is off, and the group still brings its mails.
      await preferences.set("ivy", { category: "social <b>&", channel: "email" }, "off");
      expect(await of(comment)).toContain("Do you no longer want to get");
      expect((await oneClick(comment)).text).toContain("You will no longer get “Social &lt;b&gt;&amp;” by e-mail.");
      expect(await send()).toEqual([null, null]);
      expect(await of(comment)).toContain("You do not get");
      expect(await choicesOf("ivy")).toEqual([
        "group thread ivy email off",
        "group thread ivy null immediate",
        "topic post:8 email on",
        "topic post:ivy email off",
        "type reply email off",
        "category social <b>& email off",
      ]);
      const undo = (url: string) => ask(url, { method: "POST", headers: FORM, body: "Belfry-Unsubscribe=Undo" });
      // The type is off by itself: what had been switched on is so again, and no more.
      expect((await undo(reply)).text).toContain("You get “Reply” by e-mail again.");
      expect(await send()).toEqual([expect.any(String), null]);
      await undo(comment);
      expect(await send()).toEqual([expect.any(String), expect.any(String)]);
      expect(await choicesOf("ivy")).toEqual(["group thread ivy null immediate", "topic post:8 email on", "topic post:ivy email on"]);
    });

    test("a choice with conditions gives way, too", async () => {
      const { preferences } = setting.service;
      await preferences.set("jo", { type: "report", channel: "email", when: { kind: "big" } }, "on");
      await preferences.set("jo", { type: "report", when: { kind: "small" } }, "on");
      const send = async () => {
        channels[0]?.clear();
        await setting.service.create({ to: "jo", type: "report", title: "Report", data: { kind: "big" } });
        await setting.service.create({ to: "jo", type: "report", title: "Report", data: { kind: "small" } });
        await setting.service.runDue();
        return channels[0]?.of("jo").map(({ unsubscribeUrl }) => unsubscribeUrl?.replace(PUBLIC_URL, setting.url) ?? "") ?? [];
      };
      const [url = "", ...others] = await send();
      expect(others).toHaveLength(1);
      await oneClick(url);
      expect(await send()).toEqual([]);
    });

    test("GET says that it is off already, and offers to switch it on again, which the same link does", async () => {
      const url = await linkOf("gus", "comment");
      const undo = () => ask(url, { method: "POST", headers: FORM, body: "Belfry-Unsubscribe=Undo" });
      const off = await oneClick(url);
      expect(off.text).toContain('name="Belfry-Unsubscribe" value="Undo"><button>Switch on again</button>');
      const looked = await ask(url);
      expect(looked.text).toContain("You do not get “Social &lt;b&gt;&amp;” by e-mail.");
      expect(looked.text).toContain("<button>Switch on again</button>");
      expect(looked.text).not.toContain("One-Click");
      const german = await ask(url, { headers: { "accept-language": "de" } });
      expect(german.text).toContain("Sie bekommen „Social &lt;b&gt;&amp;“ nicht per E-Mail.");
      const on = await undo();
      expect([on.status, await choicesOf("gus")]).toEqual([200, []]);
      expect(on.text).toContain("You get “Social &lt;b&gt;&amp;” by e-mail again.");
      expect((await undo()).status).toBe(200);
      expect((await ask(url)).text).toContain("Do you no longer want to get");
      // Where a more general choice says off, the link's own says on.
      await setting.service.preferences.set("gus", { all: true, channel: "email" }, "off");
      expect((await ask(url)).text).toContain("You do not get");
      expect((await undo()).text).toContain("by e-mail again.");
      expect(await choicesOf("gus")).toEqual(["category social <b>& email on", "all  email off"]);
    });

    test("a category is off once the user said so, also where another type of it comes by the user's own choice", async () => {
      await setting.service.preferences.set("hal", { type: "mention", channel: "email" }, "immediate");
      const url = await linkOf("hal", "comment");
      await setting.service.preferences.set("hal", { type: "comment", channel: "email" }, "off");
      expect((await ask(url)).text).toContain("Do you no longer want to get");
      await oneClick(url);
      expect((await ask(url)).text).toContain("You do not get");
    });

    test("row 50: an altered link, and one of another secret, is 404 and changes nothing", async () => {
      const url = await linkOf("carl", "report");
      const base = url.slice(0, url.lastIndexOf("/") + 1);
      const [said = "", signature = ""] = url.slice(base.length).split(".");
      const { linkSecret: _, ...others } = needs;
      const forged = [
        `${said}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
        `${Buffer.from(Buffer.from(said, "base64url").toString().replace("carl", "anna")).toString("base64url")}.${signature}`,
        `${said}.`,
        `${said}`,
        `${said}.${signature}.${signature}`,
        `${said}.${signature.slice(0, -1)}`,
        `${said}=.${signature}`,
        "",
        "x".repeat(10_000),
        `${said}%2e${signature}%00`,
      ];
      expect(others.publicUrl).toBe(PUBLIC_URL);
      for (const token of forged) {
        const [seen, followed] = [await ask(base + token), await oneClick(base + token)];
        expect([token, seen.status, followed.status]).toEqual([token, 404, 404]);
        expect(followed.text).not.toContain("carl");
      }
      expect([await choicesOf("carl"), await choicesOf("anna")]).toEqual([[], []]);
    });

    test("a POST without the form, a large body and other methods change nothing", async () => {
      const url = await linkOf("dora", "report");
      const post = (body: string, headers: Record<string, string> = FORM) => ask(url, { method: "POST", headers, body });
      expect((await post("")).status).toBe(400);
      expect((await post("List-Unsubscribe=Two-Clicks")).status).toBe(400);
      expect((await post("{}", { "content-type": "application/json" })).status).toBe(400);
      expect((await post(`x=${"y".repeat(20_000)}`)).status).toBe(413);
      const removed = await ask(url, { method: "DELETE" });
      expect([removed.status, removed.headers.get("allow")]).toEqual([405, "GET, HEAD, POST"]);
      expect(await choicesOf("dora")).toEqual([]);
    });

    test("there is no link for a required type and for an address, and a locked choice says so", async () => {
      await setting.service.create({ to: "fred", type: "invoice", title: "Pay" });
      await setting.service.create({ to: { email: "fred@other.cc" }, type: "report", title: "Read" });
      await setting.service.runDue();
      expect(["fred", "fred@other.cc"].map((one) => channels[0]?.of(one)[0]?.unsubscribeUrl)).toEqual([null, null]);
      const locked = setting.service.tenant("locked");
      await locked.preferences.defaults.set({ type: "report", channel: "email", locked: true }, "on");
      const url = await linkOf("fred", "report", "locked");
      const looked = await ask(url);
      expect(looked.text).toContain("“Weekly report” always comes by e-mail here.");
      expect(looked.text).not.toContain("<form");
      expect((await oneClick(url)).text).toContain("always comes by e-mail here. Your choice is kept");
      await locked.preferences.defaults.set({ type: "report", channel: "email", locked: true }, "off");
      const off = await ask(url);
      expect(off.text).toContain("You do not get “Weekly report” by e-mail.");
      expect(off.text).not.toContain("<form");
    });
  });

  describe("unsubscribe, guessed", () => {
    const clientAddress = () => "203.0.113.7";
    const limiter = { badCredentialLimiter: undefined, clientAddress };
    const setting = useSetting(
      harness,
      limiter,
      {},
      { types: types as never, channels: [recorder(), recorder({ name: "chat" })], publicUrl: PUBLIC_URL, linkSecret: SECRET },
    );

    test("counts as bad credentials of its address do", async () => {
      const statuses = new Set<number>();
      for (let guess = 0; guess < 101; guess += 1) {
        statuses.add((await fetch(`${setting.url}/belfry/unsubscribe/${guess}.x`)).status);
      }
      expect(statuses).toEqual(new Set([404, 429]));
      const limited = await fetch(`${setting.url}/belfry/unsubscribe/x.x`);
      expect([limited.status, Number(limited.headers.get("retry-after")) > 0]).toEqual([429, true]);
    });
  });
}
