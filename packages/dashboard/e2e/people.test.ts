import type { Channel } from "@belfry/core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

/** Sends mail whose HTML tries to run code and to load a picture. */
const email: Channel = {
  name: "email",
  retryDelaysMs: [],
  timeoutMs: 5_000,
  invalidRecipient: (recipient) => (recipient.includes("@") ? null : "is no address"),
  async preview({ title }) {
    const html = `<p style="color: rgb(255, 0, 0)">Dear reader</p><script>parent.document.title = "owned"</script>`;
    return { subject: title, text: "Dear reader", html };
  },
  async deliver({ address }) {
    return address.startsWith("full")
      ? { status: "failed", transient: false, error: "mailbox full", provider: "test" }
      : {
          ...{ status: "sent", provider: "test", response: "250 taken" },
          exchange: {
            request: {
              method: "POST",
              url: "https://mail.example/send",
              headers: { authorization: "***" },
              body: "the body",
              isCut: false,
            },
            response: { status: 202, headers: {}, body: "queued", isCut: false },
          },
        };
  },
};

let browser: Browser;
let stage: Stage;

beforeAll(async () => {
  browser = await startBrowser();
  stage = await setStage(browser, {
    framework: "express",
    prefix: "/admin",
    channels: [email],
    authorize: () => ({ read: true, act: true, actor: "eve" }),
  });
});

afterAll(async () => {
  await stage.end();
  await browser.close();
});

describe("the page of a user", () => {
  test("is two clicks from a search, and has the inbox, deliveries, devices and topics", async () => {
    const service = stage.service();
    await service.create({ to: "ann", title: "For Ann" });
    await service.create({ to: { email: "ann@example.com" }, title: "Mailed", message: "x" });
    await service.topics.subscribe("post:7", ["ann"]);
    await service.runDue();
    const { page, problems } = await stage.open("?view=inbox");
    await page.getByRole("link", { name: "Search" }).click();
    await page.getByRole("cell").getByRole("link", { name: "ann", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "ann" }).waitFor();
    await page.getByTestId("user-counts").getByText("1 unread of 1").waitFor();
    await page.getByText("post:7").waitFor();
    await page.getByText("No phone and no browser is registered").waitFor();
    await page.getByTestId("deliveries").getByText("Nothing was delivered over any channel.").waitFor();
    await page.goto(`${stage.url()}?view=user&id=ann%40example.com`);
    await page.getByTestId("deliveries").getByRole("link", { name: "Mailed" }).waitFor();
    expect(problems).toEqual([]);
  });

  test("exports and, after the id is written once more, deletes; the audit view says who did", async () => {
    const service = stage.service();
    await service.create({ to: "gone", title: "Hers" });
    const { page, problems } = await stage.open("?view=user&id=gone");
    await page.getByRole("button", { name: "Export…" }).click();
    const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export", exact: true }).click()]);
    expect(file.suggestedFilename()).toBe("user.jsonl");
    await page.getByRole("button", { name: "Delete…" }).click();
    const confirm = page.getByLabel("The user's id, to confirm");
    await confirm.fill("gon");
    await page.getByRole("button", { name: "Delete the data" }).click();
    await page.getByText("That is not the id of this user.").waitFor();
    expect((await service.inbox("gone").counts()).total).toBe(1);
    await confirm.fill("gone");
    await page.getByRole("button", { name: "Delete the data" }).click();
    await page.getByTestId("user-counts").getByText("0 unread of 0").waitFor();
    await page.getByRole("link", { name: "Audit", exact: true }).click();
    await page.getByRole("rowheader", { name: "Deleted a user's data" }).waitFor();
    await page.getByLabel("Action").selectOption("user_exported");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByRole("rowheader", { name: "Deleted a user's data" }).waitFor({ state: "detached" });
    expect(await page.getByRole("row").nth(1).textContent()).toContain("eve");
    expect(new URL(page.url()).searchParams.get("action")).toBe("user_exported");
    expect(problems).toEqual([]);
  });
});

describe("a timeline", () => {
  test("folds what went well, shows what was sent and came back, and the mail in a frame in which nothing runs", async () => {
    const service = stage.service();
    const { id } = (await service.create({ to: { email: "bob@example.com" }, title: "Framed", message: "x" })).notification;
    await service.runDue();
    const { page, problems } = await stage.open(`?view=notification&id=${id}`);
    const timeline = page.getByTestId("timeline");
    await timeline.getByText("Attempt 1, email to bob@example.com: sent").waitFor();
    expect(await timeline.getByText("250 taken").isVisible()).toBe(false);
    await timeline.getByText("Details").click();
    await timeline.getByText("250 taken").waitFor();
    await timeline.getByText("What was sent, and what came back").click();
    await timeline.getByText("POST https://mail.example/send").waitFor();
    await timeline.getByText("HTTP 202").waitFor();
    await page.getByRole("button", { name: "Show the message" }).click();
    const frame = page.locator("iframe.mail");
    expect([await frame.getAttribute("sandbox"), await frame.getAttribute("srcdoc")]).toEqual(["", null]);
    const paragraph = page.frameLocator("iframe.mail").getByText("Dear reader");
    await paragraph.waitFor();
    expect(await paragraph.evaluate((element) => getComputedStyle(element).color)).toBe("rgb(255, 0, 0)");
    expect(await page.title()).not.toBe("owned");
    // The browser says that it did not run the mail's code, and nothing else.
    expect(problems.filter((problem) => !/script/i.test(problem))).toEqual([]);
  });

  test("of a send to many lists its deliveries, failures first, and page by page", async () => {
    const service = stage.service();
    const to = Array.from({ length: 1_500 }, (_, index) => `${index % 500 === 7 ? "full" : "user"}${index}@example.com`);
    const { id } = (await service.create({ channels: ["email"], to, title: "To many", message: "x" })).notification;
    await expect
      .poll(
        async () => {
          await service.runDue();
          return (await service.get(id)).status;
        },
        { timeout: 60_000 },
      )
      .toBe("partial");
    const { page } = await stage.open(`?view=notification&id=${id}`);
    const list = page.getByTestId("deliveries");
    await list.getByRole("heading", { name: "1,497 sent, 3 failed" }).waitFor();
    await list.getByText("mailbox full").first().waitFor();
    expect(await list.getByRole("rowheader").allTextContents()).toEqual([1_007, 507, 7].map((index) => `full${index}@example.com`));
    expect(await page.getByTestId("timeline").first().getByRole("listitem").count()).toBeLessThan(10);
    await list.getByText("All", { exact: true }).click();
    await list.getByRole("rowheader").nth(19).waitFor();
    await list.getByRole("button", { name: "Show more" }).click();
    await list.getByRole("rowheader").nth(119).waitFor();
  });

  test("of a handler has the prompt and the outcome in one card, and what was deleted leads to its lines in the audit log", async () => {
    const service = stage.service();
    await service.hub.handlers.create({ source: "shop", prompt: "Tell whom it concerns." });
    const { id } = await service.hub.events.create({ source: "shop", sender: "kim", content: "An order came in.", metadata: {} });
    await service.runDue();
    const { page } = await stage.open(`?view=notification&id=${id}`);
    const card = page
      .getByTestId("timeline")
      .getByRole("listitem")
      .filter({ hasText: /Handler .*: completed/ });
    await card.waitFor();
    expect(await card.textContent()).toMatch(/Tell whom it concerns\..*Tell Ann about it\./);
    await service.delete(id, { actor: "fay" });
    await page.reload();
    await page.getByRole("link", { name: "look at who did what to it" }).click();
    await page.getByRole("rowheader", { name: /Deleted.*event of type shop/ }).waitFor();
  });
});
