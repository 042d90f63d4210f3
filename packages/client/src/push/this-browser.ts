import type { Http } from "../http.ts";
import { errorOf, RequestError } from "../result.ts";
import { isEqual } from "../view.ts";
import { type KeptDevice, PushMemory } from "./kept-device.ts";
import type { PushOptions, PushSnapshot, PushState, PushTask } from "./push.ts";
import { PUSH_CHANNEL } from "./push-channel.ts";
import type { PushHost } from "./push-host.ts";

/** A registration is renewed after a day: the server forgets devices that were not seen for long before others. */
const RENEWED_AFTER_MS = 86_400_000;

/** What each client has here until it stops. */
const browsers = new WeakMap<PushHost, ThisBrowser>();

/** Does something for a client, and shows how it ended. */
export async function doPush(host: PushHost, http: Http, given: GivenTask): Promise<PushState> {
  const browser = browsers.get(host) ?? new ThisBrowser(host, http);
  browsers.set(host, browser);
  if (given.task !== "stop") {
    return browser.do(given);
  }
  browser.close();
  browsers.delete(host);
  return host.push.snapshot.state;
}

/** What there is to do. */
interface GivenTask {
  readonly task: PushTask;
  /** What the user says about notifications. */
  readonly asked?: Promise<NotificationPermission> | undefined;
}

/** The half of `Push` that speaks with the browser and the server. */
class ThisBrowser {
  readonly #host: PushHost;
  readonly #http: Http;
  readonly #channel: BroadcastChannel | null;
  /** How many calls are under way that switch it. */
  #switching = 0;

  constructor(host: PushHost, http: Http) {
    this.#host = host;
    this.#http = http;
    this.#channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(PUSH_CHANNEL);
    // Another page, or the service worker, changed something.
    this.#channel?.addEventListener("message", () => void this.do({ task: "look" }).catch(() => undefined));
  }

  close(): void {
    this.#channel?.close();
  }

  async do({ task, asked }: GivenTask): Promise<PushState> {
    const isSwitching = task === "enable" || task === "disable";
    this.#switching += Number(isSwitching);
    this.#show({});
    try {
      await asked;
      const sender = await this.#sender();
      const state = typeof sender === "string" ? sender : await navigator.locks.request(PUSH_CHANNEL, () => this.#doTask(task, sender));
      this.#switching -= Number(isSwitching);
      this.#show({ state, error: null });
      return state;
    } catch (thrown) {
      this.#switching -= Number(isSwitching);
      this.#show({ error: errorOf(thrown) });
      throw thrown;
    }
  }

  #show(changed: Partial<PushSnapshot>): void {
    const { push } = this.#host;
    const next = { ...push.snapshot, ...changed, isBusy: this.#switching > 0 };
    if (!isEqual(next, push.snapshot)) {
      push.snapshot = next;
      for (const listener of push.listeners) {
        listener();
      }
    }
  }

  async #doTask(task: PushTask, sender: Sender): Promise<PushState> {
    if (task === "disable") {
      return this.#disable(sender);
    }
    if (Notification.permission !== "granted") {
      return "off";
    }
    return task === "enable" ? this.#register(sender, await sender.memory.device()) : this.#look(sender, task === "start");
  }

  /**
   * Finds out the state, and does what is to be done: what was opened is marked as read, and a subscription that has changed is registered.
   *
   * @param takesOver whether a browser that got the pushes of another user gets those of this one from now on
   */
  async #look(sender: Sender, takesOver: boolean): Promise<PushState> {
    const kept = await sender.memory.device();
    if (kept === null || !(takesOver || this.#isOwn(kept))) {
      return "off";
    }
    await this.#markOpened(sender, kept);
    const subscription = await (await registrationOf(sender.options))?.pushManager.getSubscription();
    const isCurrent =
      this.#isOwn(kept) &&
      subscription?.endpoint === kept.endpoint &&
      (keyOf(subscription) ?? kept.publicKey) === sender.publicKey &&
      Date.now() - kept.registeredAt < RENEWED_AFTER_MS;
    return isCurrent ? "on" : this.#register(sender, kept);
  }

  async #disable({ memory, options }: Sender): Promise<PushState> {
    const kept = await memory.device();
    if (kept !== null && !this.#isOwn(kept)) {
      return "off";
    }
    const subscription = await (await registrationOf(options))?.pushManager.getSubscription();
    await subscription?.unsubscribe();
    await memory.keep(null);
    await navigator.clearAppBadge?.();
    this.#tell();
    if (kept !== null) {
      // If the server does not hear of it, it removes the device once the push service says that the subscription is gone.
      await this.#http.result(`/devices/${encodeURIComponent(kept.id)}`, { method: "DELETE" });
    }
    return "off";
  }

  /** Who sends, and with what the browser subscribes; or the state of a browser that cannot. */
  async #sender(): Promise<Sender | PushState> {
    const { push } = this.#host.options;
    const { publicKey } = await this.#http.json<{ readonly publicKey: string | null }>("/push");
    if (publicKey === null || push === undefined) {
      return "not_offered";
    }
    if (!("serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis)) {
      return needsInstall() ? "needs_install" : "unsupported";
    }
    return Notification.permission === "denied" ? "denied" : { options: push, publicKey, memory: new PushMemory(scopeOf(push)) };
  }

  /** Whether a device gets the pushes of this client's user, as far as that is known. */
  #isOwn({ user }: KeptDevice): boolean {
    const own = this.#host.options.user;
    return user === null || own === undefined || user === own;
  }

  async #markOpened({ memory }: Sender, kept: KeptDevice): Promise<void> {
    const ids = await memory.takeOpened();
    if (ids.length > 0 && this.#isOwn(kept)) {
      this.#host.change({ to: "items", change: "read", ids });
    }
  }

  /** Registers the browser for the user, with a subscription to the present sender. */
  async #register({ options, publicKey, memory }: Sender, kept: KeptDevice | null): Promise<PushState> {
    const { worker, scope, name } = options;
    const registration = await navigator.serviceWorker.register(worker, scope === undefined ? {} : { scope });
    await isActive(registration);
    const subscription = await subscribed(registration.pushManager, publicKey);
    const body = { platform: "web", subscription: subscription.toJSON(), name, replaces: kept?.id };
    const { id } = await this.#http.json<{ readonly id: string }>("/devices", { method: "POST", body });
    const { url, user = null, getToken, headers, credentials = "same-origin" } = this.#host.options;
    // Tokens and headers are secrets of the page: a service worker without them leaves to pages what it cannot ask for.
    const asks = getToken === undefined && headers === undefined ? { url: new URL(url, location.href).href, credentials } : null;
    const { endpoint } = subscription;
    await memory.keep({ id, user, endpoint, publicKey, registeredAt: Date.now(), options, asks });
    this.#tell();
    return "on";
  }

  /** Tells the other pages. */
  #tell(): void {
    this.#channel?.postMessage("changed");
  }
}

/** What a browser subscribes with. */
interface Sender {
  readonly options: PushOptions;
  readonly publicKey: string;
  readonly memory: PushMemory;
}

/** The addresses of a service worker: browsers have its script's folder as the default. */
function scopeOf({ worker, scope = "./" }: PushOptions): string {
  const script = new URL(worker, location.href);
  return scope === "./" ? new URL(scope, script).href : new URL(scope, location.href).href;
}

/** The registration of the service worker; a worker of the host for other addresses is not meant. */
async function registrationOf(options: PushOptions): Promise<ServiceWorkerRegistration | undefined> {
  const scope = scopeOf(options);
  const found = await navigator.serviceWorker.getRegistration(scope);
  return found?.scope === scope ? found : undefined;
}

/** Waits until a service worker is active: before that, browsers refuse to subscribe. */
async function isActive({ active, waiting, installing }: ServiceWorkerRegistration): Promise<void> {
  const coming = waiting ?? installing;
  if (active !== null || coming === null) {
    return;
  }
  await new Promise<void>((resolve, reject) => {
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") {
        resolve();
      } else if (coming.state === "redundant") {
        reject(new RequestError({ code: "WORKER_FAILED", status: 0, message: "The service worker could not be installed." }));
      }
    });
  });
}

/** The browser's subscription to the sender. One to another sender is given up. */
async function subscribed(pushManager: PushManager, publicKey: string): Promise<PushSubscription> {
  const known = await pushManager.getSubscription();
  if (known !== null && (keyOf(known) ?? publicKey) === publicKey) {
    return known;
  }
  await known?.unsubscribe();
  try {
    return await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  } catch (thrown) {
    throw new RequestError({ code: "PUSH_REFUSED", status: 0, message: `The browser did not subscribe: ${String(thrown)}` });
  }
}

/** The sender that a subscription is for, in base64url; null where the browser does not say. */
function keyOf({ options }: PushSubscription): string | null {
  const { applicationServerKey: key } = options;
  return key === null ? null : btoa(String.fromCharCode(...new Uint8Array(key))).replace(/[+/=]/g, (one) => URL_SAFE[one] ?? "");
}

const URL_SAFE: Readonly<Record<string, string>> = { "+": "-", "/": "_" };

/** Whether the browser is one of those that give pushes to sites on the home screen alone, and this one is not there. */
function needsInstall(): boolean {
  return (navigator as Navigator & { readonly standalone?: boolean }).standalone === false;
}
