import type { Http } from "../http.ts";
import { loadAgain } from "../load-again.ts";
import type { PushState, PushTask } from "./push.ts";
import type { PushHost } from "./push-host.ts";

/** Loads what pushes need, once there is something to do. */
export class PushLoader {
  readonly #host: PushHost;
  readonly #http: Http;
  #tries = 0;

  constructor(host: PushHost, http: Http) {
    this.#host = host;
    this.#http = http;
    if (host.options.push === undefined) {
      host.push.snapshot = { ...host.push.snapshot, state: "not_offered" };
    }
  }

  /** The client starts: a browser that may show notifications is looked after. */
  start(): void {
    if (globalThis.Notification?.permission === "granted") {
      // If it fails, the snapshot says why.
      this.do("start").catch(() => undefined);
    }
  }

  /** The client stops. */
  stop(): void {
    if (this.#tries > 0) {
      this.do("stop").catch(() => undefined);
    }
  }

  async do(task: PushTask, asked?: Promise<NotificationPermission>): Promise<PushState> {
    if (this.#host.options.push === undefined) {
      return "not_offered";
    }
    this.#tries += 1;
    const { doPush } = await loadAgain(() => import("./this-browser.ts"), "doPush", this.#tries - 1);
    return doPush(this.#host, this.#http, { task, asked });
  }
}
