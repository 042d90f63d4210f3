import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { startBrowser } from "./browser.ts";
import { type Stage, setStage } from "./stage.ts";

let browser: Browser;
const stages: Stage[] = [];

beforeAll(async () => {
  browser = await startBrowser();
});

afterAll(() => browser.close());

afterEach(async () => {
  await Promise.all(stages.splice(0).map((stage) => stage.end()));
});

/** Starts a relay to `target`. It can make its present connections fall silent; new ones still work. */
async function startRelay(target: string): Promise<{ readonly url: string; silence(): void; close(): void }> {
  const { port, pathname } = new URL(target);
  const pairs: (readonly [Socket, Socket])[] = [];
  const server = createServer((near) => {
    const far = connect(Number(port), "127.0.0.1");
    pairs.push([near, far]);
    near.pipe(far);
    far.pipe(near);
    near.on("error", () => far.destroy());
    far.on("error", () => near.destroy());
    near.on("close", () => far.destroy());
    far.on("close", () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    silence() {
      for (const [near, far] of pairs) {
        near.unpipe(far).resume();
        far.unpipe(near).resume();
      }
    },
    close() {
      server.close();
      for (const socket of pairs.flat()) {
        socket.destroy();
      }
    },
  };
}

// What a page does about a lost server is the page's own: the framework behind it makes no difference.
describe("a page whose server comes and goes", () => {
  async function stageAt(prefix: string): Promise<Stage> {
    const stage = await setStage(browser, { framework: "express", prefix });
    stages.push(stage);
    return stage;
  }

  test("two browsers see the same count move", async () => {
    const stage = await stageAt("/admin");
    await stage.service().create({ to: "bob", message: "one" });
    const [first, second] = [await stage.open("?view=inbox&user=bob"), await stage.open("?view=inbox&user=bob")];
    for (const { page } of [first, second]) {
      await page.getByText("Live", { exact: true }).last().waitFor();
      await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("1"));
    }
    await first.page.getByLabel("Message").fill("two");
    await first.page.getByRole("button", { name: "Create" }).click();
    for (const { page } of [first, second]) {
      await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("2"), { timeout: 10_000 });
    }
    await second.page.getByRole("button", { name: /^Mark as read: one/ }).click();
    for (const { page, problems } of [first, second]) {
      await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("1"), { timeout: 10_000 });
      expect(problems).toEqual([]);
    }
  });

  test("the page shows notifications that another process creates and reads, in an old inbox too", async () => {
    const stage = await stageAt("/admin");
    const { notification } = await stage.service().create({ to: "bob", message: "old" });
    await Promise.all(Array.from({ length: 120 }, (_, index) => stage.service().create({ to: "eve", message: `number ${index}` })));
    const { page, problems } = await stage.open("?view=inbox&user=bob");
    await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("1"));
    const elsewhere = stage.elsewhere();
    await elsewhere.inbox("bob").markRead(notification.id);
    await vi.waitFor(async () => expect(await page.getByTestId("unread").textContent()).toBe("0"), { timeout: 15_000 });
    await page.getByText(/^read /).waitFor();
    await elsewhere.create({ to: "bob", message: "from another process" });
    await page.getByText("from another process").waitFor();
    expect(problems).toEqual([]);
  });

  test("the page connects again after the server restarts, and misses nothing", async () => {
    const stage = await stageAt("");
    await stage.service().create({ to: "bob", message: "before." });
    const [tail, inbox] = [await stage.open("?view=live"), await stage.open("?view=inbox&user=bob")];
    for (const { page } of [tail, inbox]) {
      await page.getByText("before.").waitFor();
      await page.getByText("Live", { exact: true }).last().waitFor();
    }
    await stage.stop();
    await tail.page.getByText("Every 5 seconds").waitFor();
    await stage.start();
    for (let count = 1; count <= 20; count += 1) {
      await stage.service().create({ to: "bob", message: `number ${count}.` });
    }
    await vi.waitFor(async () => expect(await tail.page.getByTestId("tail").getByRole("listitem").count()).toBe(21), { timeout: 30_000 });
    await vi.waitFor(async () => expect(await inbox.page.getByTestId("unread").textContent()).toBe("21"), { timeout: 30_000 });
    for (const { page } of [tail, inbox]) {
      await page.getByText("Live", { exact: true }).last().waitFor();
    }
    await stage.service().create({ to: "bob", message: "and after." });
    await tail.page.getByText("and after.").waitFor();
    await inbox.page.getByText("and after.").waitFor();
  });

  test("if the stream fails, the page asks every 5 seconds, and says so", async () => {
    const stage = await stageAt("/admin");
    const { page } = await stage.open();
    await page.route("**/api/live*", (route) => route.fulfill({ status: 502, body: "no streams here" }));
    await page.goto(`${stage.url()}?view=inbox&user=bob`);
    await page.getByText("No notifications for bob").waitFor();
    await page.getByText("Every 5 seconds").waitFor();
    await stage.service().create({ to: "bob", message: "by asking" });
    await page.getByText("by asking").waitFor();
    await page.unroute("**/api/live*");
    await page.getByText("Live", { exact: true }).last().waitFor();
  });

  test("the page notices a silent stream and opens another one", async () => {
    const stage = await stageAt("/admin");
    const relay = await startRelay(stage.url());
    const { page } = await stage.open();
    await page.clock.install();
    await page.goto(`${relay.url}?view=inbox&user=bob`);
    await page.getByText("Live", { exact: true }).last().waitFor();
    await page.getByText("No notifications for bob").waitFor();
    relay.silence();
    await stage.service().create({ to: "bob", message: "unheard" });
    await page.clock.fastForward(29_000);
    await page.getByText("Live", { exact: true }).last().waitFor();
    await page.clock.fastForward(10_000);
    await page.getByText("unheard").waitFor();
    await page.getByText("Live", { exact: true }).last().waitFor();
    await stage.service().create({ to: "bob", message: "heard again" });
    await page.getByText("heard again").waitFor();
    relay.close();
  });

  test("a page opened while the server is down shows its contents once the server is back", async () => {
    const stage = await stageAt("/admin");
    const { page } = await stage.open();
    await page.route("**/api/session", (route) => route.abort());
    await page.goto(stage.url());
    await page.getByText("The server cannot be reached. The page tries again by itself.").waitFor();
    await page.unroute("**/api/session");
    await page.getByRole("heading", { name: "Inbox" }).waitFor();
  });

  test("the page does not promise to repeat a change that did not reach the server", async () => {
    const stage = await stageAt("/admin");
    const { page } = await stage.open("?view=inbox&user=bob");
    await page.route("**/api/notifications", (route) => route.abort());
    await page.getByLabel("Message").fill("Hello");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByText("Nothing was changed as far as the page knows; try again.").first().waitFor();
    expect(await page.getByText("by itself").count()).toBe(0);
  });

  test("the page says so if something else answers, such as a login page", async () => {
    const stage = await stageAt("/admin");
    const { page } = await stage.open();
    await page.getByText("No notifications", { exact: true }).waitFor();
    await page.route("**/api/items*", (route) => route.fulfill({ status: 200, contentType: "text/html", body: "<h1>Log in</h1>" }));
    await page.getByText("Unread", { exact: true }).click();
    await page.getByText("Perhaps you are logged out: load the page anew.").waitFor();
  });

  test("a hidden tab closes its stream, and misses nothing once it is visible again", async () => {
    const stage = await stageAt("/admin");
    const { page } = await stage.open("?view=live");
    await page.getByText("Live", { exact: true }).last().waitFor();
    const show = (isHidden: boolean) =>
      page.evaluate((hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }, isHidden);
    await show(true);
    await page.getByText("Every 5 seconds").waitFor();
    await stage.service().create({ to: "bob", message: "out of sight" });
    await show(false);
    await page.getByTestId("tail").getByText("out of sight").waitFor();
    await page.getByText("Live", { exact: true }).last().waitFor();
    await stage.service().create({ to: "bob", message: "in sight" });
    await page.getByTestId("tail").getByText("in sight").waitFor();
  });

  test("a failed request shows a way to try again, and the last contents stay", async () => {
    const stage = await stageAt("/admin");
    await stage.service().create({ to: "bob", message: "known" });
    const { page } = await stage.open("?view=inbox");
    await page.getByText("known").waitFor();
    let isBack = false;
    await page.route("**/api/items*", (route) =>
      isBack
        ? route.continue()
        : route.fulfill({ status: 500, json: { error: { code: "STORAGE_FAILED", message: "The database is out of reach.", issues: [] } } }),
    );
    await stage.service().create({ to: "bob", message: "meanwhile" });
    await page.getByText("The database is out of reach.").waitFor();
    expect(await page.getByText("known").count()).toBe(1);
    const button = page.getByRole("button", { name: "Try again" });
    const asked = page.waitForRequest("**/api/items*");
    await button.click();
    await asked;
    isBack = true;
    // A live event may load the page as well, and take the button away before it is clicked.
    const click = () =>
      button.evaluateAll((buttons) => {
        for (const one of buttons) {
          (one as HTMLElement).click();
        }
      });
    await expect
      .poll(async () => {
        await click();
        return page.getByText("meanwhile").count();
      })
      .toBe(1);
    expect(await page.getByText("The database is out of reach.").count()).toBe(0);
  });

  test("a reader without the right to act sees no actions", async () => {
    const stage = await setStage(browser, {
      framework: "express",
      prefix: "",
      authorize: () => ({ read: true, act: false, actor: "guest" }),
    });
    stages.push(stage);
    await stage.service().create({ to: "bob", message: "hello" });
    const { page, problems } = await stage.open();
    await page.getByText("hello").waitFor();
    await page.getByText("read only").waitFor();
    expect(await page.getByRole("button", { name: /Create|Mark as read/ }).count()).toBe(0);
    await page.getByRole("link", { name: "Search" }).click();
    await page.getByTestId("count").waitFor();
    expect(await page.getByRole("button", { name: /Retry|test/ }).count()).toBe(0);
    expect(problems).toEqual([]);
  });

  test("a reader with a role sees its actions alone, and in each tenant those of that one", async () => {
    const stage = await setStage(browser, {
      framework: "hono",
      prefix: "/admin",
      authorize: () => ({ read: true, act: ["retry"], actor: "guest", tenants: { acme: { read: true, act: ["cancel", "create"] } } }),
    });
    stages.push(stage);
    const send = { channels: ["sms"], to: "+4911", title: "Code", message: "1234" };
    const { notification: failed } = await stage.service().create(send);
    await stage.service().runDue();
    const scheduledAt = new Date(Date.now() + 3_600_000);
    const { notification: pending } = await stage
      .service()
      .tenant("acme")
      .create({ ...send, scheduledAt });
    const { page, problems } = await stage.open(`?view=notification&id=${failed.id}`);
    await page.getByRole("button", { name: "Retry" }).waitFor();
    await page.getByRole("link", { name: "Search" }).click();
    await page.getByRole("button", { name: "Retry what failed…" }).waitFor();
    expect(await page.getByRole("button", { name: "Send a test…" }).count()).toBe(0);
    await page.getByRole("link", { name: "Suppressed" }).click();
    await page.getByText("No address is suppressed").waitFor();
    expect(await page.getByRole("button", { name: "Suppress an address…" }).count()).toBe(0);
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByText("No notifications").waitFor();
    expect(await page.getByRole("button", { name: "Create" }).count()).toBe(0);
    await page.getByLabel("Tenant").selectOption("acme");
    await page.getByRole("button", { name: "Create" }).waitFor();
    expect(new URL(page.url()).searchParams.get("tenant")).toBe("acme");
    await page.getByRole("link", { name: "Search" }).click();
    await page.getByRole("link", { name: "Code" }).click();
    await page.getByRole("button", { name: "Cancel…" }).click();
    await page.getByRole("button", { name: "Cancel the send" }).click();
    await page.getByRole("button", { name: "Cancel…" }).waitFor({ state: "detached" });
    expect((await stage.service().tenant("acme").get(pending.id)).status).toBe("cancelled");
    expect(await page.getByRole("button", { name: /Retry|Try now/ }).count()).toBe(0);
    expect(problems).toEqual([]);
  });
});
