import { slack } from "@belfry/channel-chat";
import { type ProviderServer, providerServer } from "@belfry/testkit/host";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

// Each framework and each place once, where there is time: most other tests of the page are on Express, below a prefix, and
// packages/dashboard/test/mount.test.ts mounts the page in every way.
const MOUNTS = [
  ...(process.env.BELFRY_LONG ? [{ framework: "express", prefix: "", place: "the root" } as const] : []),
  { framework: "hono", prefix: "/api/ui-dashboard/notifications-dashboard-ui", place: "the documented path" },
] as const;

describe.each(MOUNTS)("on $framework at $place", ({ framework, prefix }) => {
  let stage: Stage;
  let page: Page;
  let problems: string[];

  let provider: ProviderServer;

  beforeEach(async () => {
    provider = await providerServer("slack");
    const channels = [slack({ token: "xoxb-1", api: provider.url, allowPrivate: true })];
    stage = await setStage(browser, { framework, prefix, channels, authorize: () => ({ read: true, act: true, actor: "ann" }) });
  });

  afterEach(async () => {
    await stage.end();
    await provider.close();
    expect(problems).toEqual([]);
  });

  async function open(search = ""): Promise<void> {
    ({ page, problems } = await stage.open(search));
  }

  const item = (text: string) => page.getByRole("listitem").filter({ hasText: text });
  const unread = () => page.getByTestId("unread");

  test("a person creates a notification, tells read from unread, marks one as read and sees the badge", async () => {
    await open();
    await page.getByText("No notifications", { exact: true }).waitFor();
    await page.getByLabel("To user").fill("user_123");
    await page.getByLabel("Message").fill("Your order has been shipped!");
    await page.getByRole("button", { name: "Create" }).click();
    await item("Your order has been shipped!").getByText("Unread:").waitFor();
    await page.getByLabel("Message").fill("Second");
    await page.getByRole("button", { name: "Create" }).click();
    await item("Second").waitFor();
    await page.waitForFunction(() => document.title.startsWith("(2) Inbox"));
    expect(await unread().textContent()).toBe("2");

    await item("Your order")
      .getByRole("button", { name: /^Mark as read/ })
      .click();
    await item("Your order")
      .getByText(/^read .* now$/)
      .waitFor();
    expect(await item("Your order").getByText("Unread:").count()).toBe(0);
    expect(await item("Second").getByText("Unread:").count()).toBe(1);
    await vi.waitFor(async () => expect(await unread().textContent()).toBe("1"));
    expect(await stage.service().inbox("user_123").counts()).toMatchObject({ unread: 1, total: 2 });
    const [first] = (await stage.service().inbox("user_123").list({ status: "read" })).items;
    expect((await stage.service().operator.timeline(first?.id ?? "")).audit).toMatchObject([
      { action: "created", actor: "ann" },
      { action: "read", actor: "ann" },
    ]);
  });

  test("the list shows one user's items or everybody's, and only unread ones on demand", async () => {
    const { notification } = await stage.service().create({ to: ["bob", "eve"], message: "for both" });
    await stage.service().create({ to: "eve", message: "for eve" });
    await stage.service().inbox("bob").markRead(notification.id);
    await open();
    await item("for eve").waitFor();
    expect(await page.locator(".item").count()).toBe(3);
    await page.getByLabel("User", { exact: true }).fill("bob");
    await page.getByRole("button", { name: "Show" }).click();
    await page.waitForURL(/user=bob/);
    await page.getByText("of 1", { exact: true }).waitFor();
    expect(await page.locator(".item").count()).toBe(1);
    await page.getByText("Unread", { exact: true }).click();
    await page.getByText("Nothing unread for bob").waitFor();
    await page.getByRole("button", { name: "All users" }).click();
    await item("for eve").waitFor();
    await page.reload();
    await item("for eve").waitFor();
    expect(await page.locator(".item").count()).toBe(2);
  });

  test("a long inbox loads page by page", async () => {
    await Promise.all(Array.from({ length: 70 }, (_, index) => stage.service().create({ to: "bob", message: `number ${index}.` })));
    await open("?view=inbox&user=bob");
    await page.getByText("50 notifications shown").waitFor();
    await page.getByRole("button", { name: "Show older" }).click();
    await vi.waitFor(async () => expect(await page.locator(".item").count()).toBe(70));
    expect(await page.getByRole("button", { name: "Show older" }).count()).toBe(0);
  });

  test("a notification created elsewhere appears by itself", async () => {
    await open("?view=inbox&user=bob");
    await page.getByText("Live", { exact: true }).last().waitFor();
    await page.getByText("No notifications for bob").waitFor();
    await stage.service().create({ to: "bob", message: "from elsewhere" });
    await item("from elsewhere").waitFor();
    expect(await unread().textContent()).toBe("1");
  });

  test("the address of a search holds its filters, so it can be shared", async () => {
    const { notification: failed } = await stage
      .service()
      .create({ channels: ["sms"], to: "+4911", type: "code", title: "Your code", message: "1234" });
    await stage.service().runDue();
    await stage.service().create({ to: "bob", type: "comment", title: "A comment", message: "Nice" });
    await open("?view=search");
    await page.getByTestId("count").getByText("2 notifications").waitFor();
    await page.getByLabel("Recipient").fill("+4911");
    await page.getByLabel("Status").selectOption("failed");
    await page.getByLabel("Channel").fill("sms");
    await page.getByLabel("From").fill("2020-01-01T12:30");
    await page.getByRole("button", { name: "Search" }).click();
    await page.getByText("1 notification match").waitFor();
    const shared = new URL(page.url()).search;
    expect(Object.fromEntries(new URLSearchParams(shared))).toEqual({
      view: "search",
      recipientPrefix: "+4911",
      status: "failed",
      channel: "sms",
      from: "2020-01-01T12:30:00.000Z",
    });

    const other = await stage.open(shared, { timezoneId: "Asia/Tokyo" });
    await other.page.getByText("1 notification match").waitFor();
    expect(await other.page.getByLabel("Recipient").inputValue()).toBe("+4911");
    expect(await other.page.getByLabel("From").inputValue()).toBe("2020-01-01T21:30");
    expect(other.problems).toEqual([]);
    for (const [filter, count] of [
      ["type=comment", "1 notification"],
      [`id=${failed.id}`, "1 notification"],
      ["from=2000-01-01T00:00", "2 notifications"],
      ["before=2000-01-01T00:00", "Nothing matches"],
      ["kind=event", "Nothing matches"],
    ]) {
      await other.page.goto(`${stage.url()}?view=search&${filter}`);
      await other.page
        .getByRole("main")
        .getByText(count ?? "")
        .waitFor();
    }
  });

  test("the timeline of a failed send says why it failed, and a retry delivers it", async () => {
    const {
      notification: { id },
    } = await stage.service().create({ channels: ["sms"], to: "+4911", title: "Your code", message: "1234" });
    await stage.service().runDue();
    await open("?view=search");
    await page.getByRole("link", { name: "Your code" }).click();
    const timeline = page.getByTestId("timeline");
    await timeline.getByText("Attempt 1, sms to +4911: failed").waitFor();
    const text = await timeline.textContent();
    for (const fact of ["Sent by host", "The gateway has no signal.", "503 NO SIGNAL", "not tried again"]) {
      expect(text).toContain(fact);
    }
    stage.channel.isBroken = false;
    await page.getByRole("button", { name: "Retry" }).click();
    await timeline.getByText("Retry asked for by ann").waitFor();
    await stage.service().runDue();
    await timeline.getByText("Attempt 2, sms to +4911: delivered").waitFor();
    await page.locator(".view-head").getByText("delivered", { exact: true }).waitFor();
    expect(await page.getByRole("button", { name: "Retry" }).count()).toBe(0);
    expect(new URL(page.url()).searchParams.get("id")).toBe(id);
  });

  test("the timeline of an event shows the results of its handlers", async () => {
    const { hub } = stage.service();
    await hub.handlers.create({ source: "shop", prompt: "Who is to be told?" });
    const good = await hub.events.create({ source: "shop", sender: "till-1", content: "Sold out", metadata: { item: 7 } });
    const bad = await hub.events.create({ source: "shop", sender: "till-1", content: "A fault", metadata: {} });
    await stage.service().runDue();
    await open("?view=search&kind=event");
    await page.getByText("2 notifications match").waitFor();
    await page.getByRole("link", { name: "Sold out" }).click();
    const timeline = page.getByTestId("timeline");
    await timeline.getByText(/^Handler .*: completed/).waitFor();
    for (const fact of ["Received", "Who is to be told?", "Tell Ann about it.", "20 in, 5 out"]) {
      expect(await timeline.textContent()).toContain(fact);
    }
    expect(new URL(page.url()).searchParams.get("id")).toBe(good.id);
    await page.goto(`${stage.url()}?view=notification&id=${bad.id}`);
    await timeline.getByText(/^Handler .*: failed/).waitFor();
    expect(await timeline.textContent()).toContain("The model refused.");
  });

  test("the timeline of a fallback says that it waits, and why it was stopped", async () => {
    const { notification: send } = await stage.service().create({
      to: "bob",
      channels: ["inbox"],
      title: "Read me",
      message: "x",
      fallback: { channel: "sms", afterMs: 600_000 },
    });
    await stage.service().runDue();
    await open(`?view=notification&id=${send.id}`);
    await page.getByText("Fallback sms to bob steps in").waitFor();
    await stage.service().inbox("bob").markRead(send.id);
    await page.getByText("Read by bob").waitFor();
    await page.getByText("Fallback sms to bob: cancelled").waitFor();
    await page.locator(".view-head").getByText("delivered", { exact: true }).waitFor();
  });

  test("a scheduled send is cancelled after a confirmation", async () => {
    const scheduledAt = new Date(Date.now() + 3_600_000);
    const {
      notification: { id },
    } = await stage.service().create({ channels: ["sms"], to: "+4911", title: "Later", message: "x", scheduledAt });
    await open(`?view=notification&id=${id}`);
    await page.getByText("Attempt 1, sms to +4911, is scheduled").waitFor();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Keep it" }).click();
    expect(await stage.service().get(id)).toMatchObject({ status: "pending" });
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Cancel the send" }).click();
    await page.getByText("Cancelled by ann").waitFor();
    expect(await stage.service().get(id)).toMatchObject({ status: "cancelled" });
  });

  test("the page sends a test and shows its timeline; for an invalid test it says why", async () => {
    stage.channel.isBroken = false;
    await open("?view=search");
    await page.getByRole("button", { name: "Send a test…" }).click();
    const dialog = page.getByRole("dialog", { name: "Send a test" });
    await dialog.getByLabel("Channel").selectOption("sms");
    await dialog.getByText("sms takes telephone numbers, such as +4912345.").waitFor();
    await dialog.getByLabel("Recipient").fill("nobody");
    await dialog.getByRole("button", { name: "Send" }).click();
    await dialog.getByText("The test was not sent.").waitFor();
    await dialog.getByText(/"nobody" is no telephone number.*sms takes telephone numbers, such as \+4912345/).waitFor();
    // The browser itself logs the refused request; the console has nothing else.
    expect(problems.every((problem) => problem.includes("422"))).toBe(true);
    problems.length = 0;
    await dialog.getByLabel("Recipient").fill("+4911");
    await dialog.getByRole("button", { name: "Send" }).click();
    await page.getByRole("heading", { name: "Test" }).waitFor();
    await stage.service().runDue();
    await page.getByText("Attempt 1, sms to +4911: delivered").waitFor();
  });

  test("a test goes out over any channel of the service, which says what it takes; what became of it is shown", async () => {
    await open("?view=search");
    await page.getByRole("button", { name: "Send a test…" }).click();
    const dialog = page.getByRole("dialog", { name: "Send a test" });
    await expect.poll(() => dialog.getByLabel("Channel").locator("option").allTextContents()).toEqual(["inbox", "sms", "slack"]);
    await dialog.getByLabel("Channel").selectOption("slack");
    const hint = /^slack takes the URLs of incoming webhooks, and the ids of channels and users, such as C024BE91L\./;
    await dialog.getByText(hint).waitFor();
    await dialog.getByLabel("Recipient").fill("C024BE91L");
    await dialog.getByRole("button", { name: "Send" }).click();
    await page.getByText("Attempt 1, slack to C024BE91L: sent").waitFor();
    expect(provider.received).toMatchObject([{ to: "C024BE91L", body: { text: "Test\nThis is a test." } }]);
  });

  test("all failed sends that match are retried, with counts before and after and a progress", async () => {
    for (let count = 0; count < 60; count += 1) {
      await stage.service().create({ channels: ["sms"], to: `+49${count}`, type: count < 30 ? "code" : "alarm", message: "1234" });
    }
    await stage.service().runDue();
    await open("?view=search&type=code&status=failed");
    await page.getByText("30 notifications match").waitFor();
    stage.channel.isBroken = false;
    await page.getByRole("button", { name: "Retry what failed…" }).click();
    const dialog = page.getByRole("dialog");
    await vi.waitFor(async () => expect(await dialog.getByTestId("matched").textContent()).toBe("30"));
    await dialog.getByRole("button", { name: "Try 30 again" }).click();
    await dialog.getByText("30 of 30 tried again; finished").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await stage.service().runDue();
    await page.getByText("Nothing matches").waitFor();
    await expect.poll(() => stage.service().operator.count({ status: "delivered" })).toBe(30);
    expect(await stage.service().operator.count({ status: "failed" })).toBe(30);
  });

  test("a retry whose start got no answer is found among the earlier ones", async () => {
    await stage.service().create({ channels: ["sms"], to: "+4911", message: "1234" });
    await stage.service().runDue();
    await open("?view=search&status=failed");
    stage.channel.isBroken = false;
    await page.route(
      (url) => url.pathname.endsWith("/api/retry-runs"),
      async (route) => {
        if (route.request().method() !== "POST") {
          await route.continue();
          return;
        }
        await route.fetch();
        await vi.waitFor(async () => expect(await stage.service().operator.retries.list()).toMatchObject([{ state: "finished" }]));
        await route.abort();
      },
    );
    await page.getByRole("button", { name: "Retry what failed…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Try 1 again" }).click();
    await dialog.getByText(/^The server cannot be reached/).waitFor();
    await dialog.getByRole("region", { name: "Earlier runs" }).getByText("1 of 1 tried again; finished").waitFor();
    expect(problems.every((problem) => problem.includes("ERR_FAILED"))).toBe(true);
    problems.length = 0;
  });

  test("the health view has figures, a chart and its table for each channel and range", async () => {
    await stage.service().create({ channels: ["sms"], to: "+4911", message: "1" });
    await stage.service().runDue();
    stage.channel.isBroken = false;
    await stage.service().create({ channels: ["sms"], to: "+4912", message: "2" });
    await stage.service().runDue();
    await open("?view=health");
    await page.getByRole("heading", { name: "sms" }).waitFor();
    expect(await page.getByText("50.0 %").count()).toBe(1);
    for (const [range, text] of [
      ["24 hours", "Attempts per half hour"],
      ["7 days", "Attempts per two hours"],
      ["1 hour", "Attempts per minute"],
    ]) {
      await page.getByText(range ?? "", { exact: true }).click();
      await page.getByText(text ?? "").waitFor();
    }
    await page.getByText("As a table").first().click();
    expect(await page.getByRole("row").nth(1).getByRole("cell").allTextContents()).toEqual(["1", "1"]);
    expect(await page.getByRole("img", { name: /1 succeeded, 1 failed/ }).count()).toBe(1);
    expect(await page.getByText("failing", { exact: true }).count()).toBe(1);
    await page.getByRole("rowheader", { name: "deliveries" }).waitFor();
    await page.getByRole("link", { name: "Failed sends" }).click();
    await page.getByText("1 notification match").waitFor();
  });

  test("a chart tells the figures of a bar, pointed at, touched or chosen by keys", async () => {
    stage.channel.isBroken = false;
    await stage.service().create({ channels: ["sms"], to: "+4911", message: "1" });
    await stage.service().runDue();
    await open("?view=health");
    const chart = page.getByRole("slider", { name: "Attempts per minute" });
    const tip = page.locator(".tip");
    await chart.hover({ position: { x: 2, y: 60 } });
    expect(await tip.textContent()).toMatch(/0 succeeded0 failed$/);
    await page.getByRole("heading", { name: "sms" }).hover();
    await tip.waitFor({ state: "detached" });
    await chart.focus();
    await page.keyboard.press("End");
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/, until now, [01] succeeded, 0 failed$/);
    await page.keyboard.press("Home");
    expect(await tip.textContent()).toMatch(/0 succeeded0 failed$/);
    await page.keyboard.press("Escape");
    await tip.waitFor({ state: "detached" });
    await chart.dispatchEvent("pointerdown", { pointerType: "touch", clientX: 0 });
    await tip.waitFor();
    // Of the attempts, and of what waited.
    expect(await page.locator(".unfinished").count()).toBe(2);
  });

  test("what waited has a chart of its own, which says where nobody looked, and workers of other processes show when they were lost", async () => {
    await stage.service().create({ channels: ["sms"], to: "+4911", message: "1" });
    await stage.service().runDue();
    await open();
    await page.route(/\/api\/health/, async (route) => {
      const response = await route.fetch();
      const health = await response.json();
      const [sms] = health.channels;
      const last = sms.backlog.length - 1;
      const waitingIn = (at: number) => (at === last ? { due: 4, retrying: 2, held: 0, scheduled: 1 } : null);
      sms.backlog = sms.backlog.map((part: object, at: number) => ({ ...part, waiting: waitingIn(at) }));
      const other = { name: "deliveries", owner: "o", mode: "working", concurrency: 8, attempting: 1, leased: 3, lagMs: 90_000 };
      const seenAt = new Date().toISOString();
      health.work.others = [
        { ...other, instance: "first-abcdef", seenAt, isLost: false },
        { ...other, instance: "second-fedcba", seenAt, isLost: true },
      ];
      await route.fulfill({ response, json: health });
    });
    await page.getByRole("link", { name: "Health" }).click();
    const chart = page.getByRole("slider", { name: "Waiting at each minute" });
    await chart.focus();
    await page.keyboard.press("End");
    expect(await chart.getAttribute("aria-valuetext")).toMatch(/, until now, 4 due, 2 retrying, 0 held back, 1 scheduled$/);
    await page.keyboard.press("Home");
    expect(await page.locator(".tip").textContent()).toMatch(/not known$/);
    const workers = page.getByRole("region", { name: "Workers" }).getByRole("row");
    await workers.filter({ hasText: "abcdef" }).getByText("busy").waitFor();
    const lost = workers.filter({ hasText: "fedcba" });
    expect((await lost.getByRole("cell").allTextContents()).slice(1, 4)).toEqual(["lost", "3 of 8", "1.5 min"]);
  });

  test("alarms that are raised stand above the channels", async () => {
    await open();
    await page.route(/\/api\/health/, async (route) => {
      const response = await route.fetch();
      const raised = { state: "raised", raisedAt: new Date().toISOString(), endedAt: null, tenant: "default" };
      const alarms = [
        { ...raised, kind: "failure_rate", channel: "sms", value: 0.625, line: 0.5 },
        { ...raised, kind: "oldest_due", channel: "email", value: 720_000, line: 300_000 },
      ];
      await route.fulfill({ response, json: { ...(await response.json()), alarms } });
    });
    await page.getByRole("link", { name: "Health" }).click();
    const alarms = page.getByRole("region", { name: "Alarms" }).getByRole("listitem");
    await alarms.first().waitFor();
    expect(await alarms.allTextContents()).toEqual([
      expect.stringMatching(/^sms the share of attempts that fail is 62.5 %, its line is 50 %: since /),
      expect.stringMatching(/^email a delivery has been due for 12 min, its line is 5 min: since /),
    ]);
  });

  test("the live tail follows, pauses and catches up", async () => {
    await open("?view=live");
    await page.getByText("Live", { exact: true }).last().waitFor();
    const tail = page.getByTestId("tail");
    await stage.service().create({ to: "bob", message: "first" });
    await tail.getByText("first").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await stage.service().create({ to: "bob", message: "second" });
    await page.getByText("1 change held back").waitFor();
    expect(await tail.getByText("second").count()).toBe(0);
    await page.getByRole("button", { name: "Resume" }).click();
    await tail.getByText("second").waitFor();
    const {
      notification: { id },
    } = await stage.service().create({ channels: ["sms"], to: "+4911", title: "third", message: "x" });
    await stage.service().runDue();
    await tail.getByRole("listitem").filter({ hasText: "third" }).getByText("failed").waitFor();
    await tail.getByRole("link", { name: "third" }).click();
    await page.waitForURL(new RegExp(id));
  });
});
