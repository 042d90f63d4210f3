import { push } from "@belfry/channel-push";
import type { UntypedCreateInput } from "@belfry/core";
import { type WebPushService, webPushService } from "@belfry/testkit/push";
import type { Browser, BrowserContext, Page, Worker } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startBrowser } from "../../dashboard/e2e/browser.ts";
import type { ShownOptions } from "../src/push/worker-scope.ts";
import { type Stage, setStage } from "./stage.ts";
import { stubPushManager } from "./stub-push-manager.ts";

let browser: Browser;
let stage: Stage;
let browsers: WebPushService;

beforeAll(async () => {
  [browser, browsers] = await Promise.all([startBrowser(), webPushService()]);
  stage = await setStage(browser, () => [push({ web: { vapid: browsers.vapid }, allowPrivate: true })]);
});

afterAll(async () => {
  await stage.end();
  await browser.close();
  await browsers.close();
});

/** What a test sees of a browser that gets pushes. */
interface Pushed {
  readonly page: Page;
  readonly worker: Worker;
  /** Hands a message to the service worker, as a push service would. */
  deliver(data: string): Promise<void>;
  /** What is on show, oldest first. */
  shown(): Promise<readonly (ShownOptions & { readonly title: string })[]>;
  /** Clicks on the notification with a title, or on one of its buttons. Returns where that led. */
  click(title: string, action?: string): Promise<readonly string[]>;
}

/** Runs in the service worker: notes what it does that a browser allows only in a click of its user, or only where it has windows. */
function standIn(): void {
  const led: string[] = [];
  const badges: number[] = [];
  Object.assign(globalThis, { led, badges });
  const { clients, WindowClient, registration } = globalThis as unknown as {
    readonly clients: object;
    readonly WindowClient: { readonly prototype: object };
    readonly registration: object;
  };
  Object.defineProperty(clients, "openWindow", { value: async (url: string) => void led.push(`opened ${url}`) });
  Object.defineProperty(WindowClient.prototype, "focus", {
    async value(this: { readonly url: string }) {
      led.push(`focused ${this.url}`);
    },
  });
  Object.defineProperty(navigator, "setAppBadge", { value: async (count: number) => void badges.push(count) });
  if (Notification.permission === "denied") {
    let shown: { readonly title: string; readonly tag?: string | undefined }[] = [];
    Object.defineProperties(registration, {
      showNotification: {
        async value(title: string, options: NotificationOptions) {
          const icon = options.icon === undefined ? "" : new URL(options.icon, location.href).href;
          const close = () => {
            shown = shown.filter((other) => other !== one);
          };
          const one = { ...options, icon, title, close };
          shown = [...shown.filter(({ tag }) => tag === undefined || tag !== options.tag), one];
        },
      },
      getNotifications: { value: async ({ tag }: { readonly tag?: string } = {}) => shown.filter((one) => (tag ?? one.tag) === one.tag) },
    });
  }
}

/** Opens a page of a user, whose browser may show notifications. */
async function openPage(profile: BrowserContext, user: string, more: object = {}): Promise<Page> {
  const page = await profile.newPage();
  await page.addInitScript(stubPushManager, [browsers.subscribe(), browsers.subscribe(), browsers.subscribe()]);
  await goTo(page, "/", user, more);
  return page;
}

/** Loads a page, with a client that has the service worker. */
async function goTo(page: Page, path: string, user: string, more: object = {}): Promise<void> {
  await page.goto(new URL(path, stage.url).href);
  await page.evaluate(([name, options]) => window.openTab(name, { push: { worker: "/belfry-worker.js", ...options } }), [
    user,
    more,
  ] as const);
}

async function profileOf(cookies = false, user = ""): Promise<BrowserContext> {
  const profile = await stage.profile();
  await profile.grantPermissions(["notifications"], { origin: new URL(stage.url).origin });
  if (cookies) {
    await profile.addCookies([{ name: "user", value: user, url: new URL("/", stage.url).href }]);
  }
  return profile;
}

const stateOf = (page: Page) => page.evaluate(() => window.tab.inbox.push.getSnapshot().state);
const enable = (page: Page) => page.evaluate(() => window.tab.inbox.push.enable());

/** Switches pushes on in a page. */
async function pushed(profile: BrowserContext, page: Page): Promise<Pushed> {
  expect(await enable(page)).toEqual({ ok: true, value: "on" });
  const [worker = await profile.waitForEvent("serviceworker")] = profile.serviceWorkers();
  const session = await profile.newCDPSession(page);
  const registered = new Promise<string>((resolve) => {
    session.on("ServiceWorker.workerRegistrationUpdated", ({ registrations: [first] }) => first && resolve(first.registrationId));
  });
  await session.send("ServiceWorker.enable");
  const registrationId = await registered;
  const { origin } = new URL(stage.url);
  await worker.evaluate(standIn);
  return {
    page,
    worker,
    deliver: async (data) => void (await session.send("ServiceWorker.deliverPushMessage", { origin, registrationId, data })),
    shown: () =>
      worker.evaluate(async () => {
        const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration };
        const shown = await registration.getNotifications();
        return shown.map(({ title, body, tag, icon, lang, dir, silent, data }) => ({ title, body, tag, icon, lang, dir, silent, data }));
      }) as ReturnType<Pushed["shown"]>,
    click: (title, action = "") =>
      worker.evaluate(
        async ([of, button]) => {
          const scope = globalThis as unknown as { registration: ServiceWorkerRegistration; led: string[] };
          const notification = (await scope.registration.getNotifications()).find((one) => one.title === of);
          const waited: Promise<unknown>[] = [];
          const event = Object.assign(new Event("notificationclick"), {
            ...{ notification, action: button },
            waitUntil: (work: Promise<unknown>) => void waited.push(work),
          });
          globalThis.dispatchEvent(event);
          await Promise.all(waited);
          return scope.led.splice(0);
        },
        [title, action] as const,
      ),
  };
}

/** Creates a notification, and returns what the push service got for the browser, decrypted. */
async function messageOf(input: UntypedCreateInput): Promise<string> {
  const before = browsers.taken.length;
  await stage.service.create({ channels: ["inbox", "push"], type: "comment", ...input });
  await expect.poll(() => browsers.taken.length).toBe(before + 1);
  return JSON.stringify(browsers.taken[before]?.message);
}

test("a browser registers, shows what the channel sent, opens it, and is forgotten when it is switched off", async () => {
  const profile = await profileOf();
  const page = await openPage(profile, "ann", { icon: "/icon.png", name: "Ann's laptop" });
  await page.evaluate(() => window.tab.inbox.push.subscribe(() => undefined));
  await expect.poll(() => stateOf(page)).toBe("off");
  expect(await stage.service.devices.list("ann")).toEqual([]);
  const { deliver, shown, click, worker } = await pushed(profile, page);
  expect(await stage.service.devices.list("ann")).toMatchObject([{ platform: "web", name: "Ann's laptop" }]);

  const actions = [
    { label: "Reply", url: "/posts/7#reply" },
    { label: "Bad", url: "javascript:alert(1)" },
  ];
  const first = {
    to: "ann",
    title: "Bob commented",
    message: "Well said — „ünïcode“ 🎐",
    url: "/?post=7",
    group: "post 7",
    actions: actions.slice(0, 1),
  };
  await deliver(await messageOf(first));
  await expect.poll(shown).toMatchObject([
    {
      title: first.title,
      body: first.message,
      tag: "belfry:post 7",
      lang: "en",
      dir: "auto",
      silent: false,
      icon: expect.stringMatching(/\/icon\.png$/),
    },
  ]);
  const badges = () => worker.evaluate(() => (globalThis as unknown as { badges: number[] }).badges);
  await expect.poll(badges).toEqual([1]);
  // A later push of the group takes the place of the earlier one.
  const second = await messageOf({ ...first, title: "Carla commented" });
  await deliver(second);
  await expect.poll(async () => (await shown()).map(({ title }) => title)).toEqual(["Carla commented"]);
  await expect.poll(badges).toEqual([1, 2]);

  // The tab that was loaded from the link is shown; else a tab is opened.
  expect(await click("Carla commented", "0")).toEqual([`opened ${new URL("/posts/7#reply", page.url()).href}`]);
  await expect.poll(shown).toEqual([]);
  await deliver(second);
  await expect.poll(async () => (await shown()).length).toBe(1);
  await goTo(page, "/?post=7", "ann");
  expect(await click("Carla commented")).toEqual([`focused ${new URL("/?post=7", page.url()).href}`]);
  // The page has the token of the user: it was told, and marks the item as read.
  await expect
    .poll(async () => (await stage.service.inbox("ann").list()).items.map(({ title, readAt }) => [title, readAt !== null]))
    .toEqual([
      ["Carla commented", true],
      ["Bob commented", false],
    ]);

  // Whatever a push says, no script runs, and something is shown of each.
  const bad = { id: "x", title: "Bad", message: "", url: "javascript:alert(1)", actions: actions.slice(1) };
  for (const data of ["no JSON", "{}", '{"id":7,"title":{}}', JSON.stringify(bad)]) {
    await deliver(data);
  }
  await expect.poll(async () => (await shown()).map(({ title }) => title).sort()).toEqual(["Bad", ...Array(3).fill("New notification")]);
  expect(await click("Bad", "0")).toEqual([`focused ${page.url()}`]);

  expect(await page.evaluate(() => window.tab.inbox.push.disable())).toEqual({ ok: true, value: "off" });
  expect(await stage.service.devices.list("ann")).toEqual([]);
  expect(await page.evaluate(async () => (await (await navigator.serviceWorker.ready).pushManager.getSubscription()) === null)).toBe(true);
});

test("with cookies, the service worker marks as read, and registers a subscription that the browser renewed, by itself", async () => {
  const profile = await profileOf(true, "cookie-ann");
  const page = await openPage(profile, "cookie-ann");
  const { deliver, shown, click, worker } = await pushed(profile, page);
  const [device] = await stage.service.devices.list("cookie-ann");
  await deliver(await messageOf({ to: "cookie-ann", title: "Hello" }));
  await expect.poll(async () => (await shown()).length).toBe(1);
  await page.evaluate(() => window.tab.inbox.stop());
  expect(await click("Hello")).toEqual([`focused ${page.url()}`]);
  expect((await stage.service.inbox("cookie-ann").counts()).unread).toBe(0);

  const renewed = browsers.subscribe();
  await worker.evaluate(async (json) => {
    const waited: Promise<unknown>[] = [];
    const event = Object.assign(new Event("pushsubscriptionchange"), {
      newSubscription: { endpoint: json.endpoint, toJSON: () => json },
      waitUntil: (work: Promise<unknown>) => void waited.push(work),
    });
    globalThis.dispatchEvent(event);
    await Promise.all(waited);
  }, renewed);
  expect(await stage.service.devices.list("cookie-ann")).toMatchObject([{ id: device?.id, tokenEnd: renewed.endpoint.slice(-6) }]);
  await messageOf({ to: "cookie-ann", title: "To the new one" });
  expect(browsers.taken.at(-1)?.device).toBe(renewed.endpoint);
});

test("a page that starts registers anew after another user, and with another key of the sender, and opens no prompt by itself", async () => {
  const profile = await profileOf();
  const page = await openPage(profile, "first");
  await pushed(profile, page);
  const start = async (user: string) => {
    await page.evaluate(() => window.tab.inbox.stop());
    await page.evaluate((name) => window.openTab(name, { push: { worker: "/belfry-worker.js" } }), user);
    await expect.poll(() => stateOf(page)).toBe("on");
  };
  await start("second");
  expect([await stage.service.devices.list("first"), (await stage.service.devices.list("second")).length]).toEqual([[], 1]);
  const [before] = await stage.service.devices.list("second");

  const old = browsers;
  browsers = await webPushService();
  await stage.stop();
  await stage.start();
  await start("second");
  await old.close();
  const kept = await page.evaluate(async () => {
    const subscription = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
    return String.fromCharCode(...new Uint8Array(subscription?.options.applicationServerKey ?? new ArrayBuffer(0)));
  });
  expect(Buffer.from(kept, "latin1").toString("base64url")).toBe(browsers.vapid.publicKey);
  const [after] = await stage.service.devices.list("second");
  expect([after?.id, after?.tokenEnd === before?.tokenEnd]).toEqual([before?.id, false]);

  // Whoever looks at the state is not asked for permission.
  const undecided = await stage.open(await stage.profile(), "third");
  const states = await undecided.evaluate(async () => {
    window.openTab("third", { push: { worker: "/belfry-worker.js" } });
    window.tab.inbox.push.subscribe(() => undefined);
    return Notification.permission;
  });
  await expect.poll(() => stateOf(undecided)).toBe(states === "denied" ? "denied" : "off");
});

test("a server that pushes to no browsers offers nothing", async () => {
  const own = await setStage(browser);
  const profile = await own.profile();
  const page = await own.open(profile, "ann");
  await page.evaluate(() => window.openTab("ann", { push: { worker: "/belfry-worker.js" } }));
  await page.evaluate(() => window.tab.inbox.push.subscribe(() => undefined));
  await expect.poll(() => stateOf(page)).toBe("not_offered");
  expect(await enable(page)).toEqual({ ok: true, value: "not_offered" });
  await own.end();
});
