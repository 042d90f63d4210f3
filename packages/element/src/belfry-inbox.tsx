import { createClient, type InboxClient, type Item } from "@belfry/client";
import type { InboxProps } from "@belfry/react";
import { BelfryProvider } from "@belfry/react/inside/hooks/belfry-provider.tsx";
import { Frame } from "@belfry/react/inside/inbox/frame.tsx";
import styles from "@belfry/react/styles.css";
import { render } from "preact";
import { LaterContent, loadContent } from "./later-content.tsx";

/** Gives a token of the signed-in user. */
export type GetToken = () => string | Promise<string>;

/** Where an item leads. */
export interface NavigateDetail {
  readonly url: string;
  readonly item: Item;
}

const ATTRIBUTES = ["url", "user", "locale", "theme", "layout", "badge", "push-worker"] as const;

/** What an attribute says, if it is one of the words that it may say. */
function oneOf<Word extends string>(value: string | null, words: readonly Word[]): Word | undefined {
  return words.find((word) => word === value);
}

/** Servers, which have no elements, may import this file, too. */
export const PageElement = globalThis.HTMLElement ?? class {};

/**
 * `<belfry-inbox url user locale theme layout badge push-worker>`: the finished inbox in a shadow root. The property `getToken` gives the user's
 * token. It sends `navigate` before it follows an item's link, which `preventDefault()` leaves to the page, and `received` for each
 * new item.
 *
 * @example
 * const inbox = document.querySelector("belfry-inbox");
 * inbox.getToken = () => fetchToken();
 * inbox.addEventListener("navigate", (event) => { event.preventDefault(); router.push(event.detail.url); });
 */
export class BelfryInbox extends PageElement {
  static readonly observedAttributes: readonly string[] = ATTRIBUTES;
  #getToken: GetToken | undefined;
  #client: InboxClient | null = null;
  #stopListening = () => {};
  #isAsked = false;

  /** Gives a token; without it, cookies tell who the user is. Set it before the element is in the page, or at any time. */
  get getToken(): GetToken | undefined {
    return this.#getToken;
  }

  set getToken(getToken: GetToken | undefined) {
    this.#getToken = getToken;
    this.#renew();
  }

  /** The client that the inbox uses; null until the element is in a page. */
  get client(): InboxClient | null {
    return this.#client;
  }

  connectedCallback(): void {
    if (this.shadowRoot === null) {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
      this.#takeEarlyProperty();
      // What fails now is loaded when the inbox is opened.
      loadContent().catch(() => undefined);
    }
    this.#renderSoon();
  }

  disconnectedCallback(): void {
    this.#renderSoon();
  }

  attributeChangedCallback(name: string): void {
    if (name === "url" || name === "user" || name === "push-worker") {
      this.#renew();
    } else {
      this.#renderSoon();
    }
  }

  /** A property that was set before the browser knew the element hides its setter. */
  #takeEarlyProperty(): void {
    const early = Object.getOwnPropertyDescriptor(this, "getToken");
    if (early !== undefined) {
      Reflect.deleteProperty(this, "getToken");
      this.getToken = early.value;
    }
  }

  /** Another user, server or token is another client. */
  #renew(): void {
    this.#stopListening();
    this.#client = null;
    this.#renderSoon();
  }

  /** Renders once for all that changes in one step of the page. */
  #renderSoon(): void {
    if (!this.#isAsked) {
      this.#isAsked = true;
      queueMicrotask(() => {
        this.#isAsked = false;
        this.#render();
      });
    }
  }

  #render(): void {
    const root = this.shadowRoot;
    if (root === null) {
      return;
    }
    // The provider stops the client of an element that has left the page.
    render(this.isConnected ? this.#inbox() : null, root);
  }

  #inbox() {
    this.#client ??= this.#newClient();
    const props: InboxProps = {
      locale: this.getAttribute("locale") ?? undefined,
      theme: oneOf(this.getAttribute("theme"), ["inherit", "system", "light", "dark"]),
      layout: oneOf(this.getAttribute("layout"), ["popover", "page"]),
      badge: oneOf(this.getAttribute("badge"), ["unread", "unseen"]),
      onNavigate: (url, item) => this.#navigate({ url, item }),
    };
    return (
      <BelfryProvider client={this.#client}>
        <Frame {...props}>
          <LaterContent />
        </Frame>
      </BelfryProvider>
    );
  }

  #newClient(): InboxClient {
    const [url, user, locale, worker] = ["url", "user", "locale", "push-worker"].map((name) => this.getAttribute(name));
    const client = createClient({
      url: url ?? "/api/belfry/v1",
      ...(user === null || user === undefined ? {} : { user }),
      ...(locale === null || locale === undefined ? {} : { locale }),
      ...(worker === null || worker === undefined ? {} : { push: { worker } }),
      ...(this.#getToken === undefined ? {} : { getToken: this.#getToken }),
    });
    this.#stopListening = client.on("received", (item) => void this.dispatchEvent(new CustomEvent("received", { detail: item })));
    return client;
  }

  #navigate(detail: NavigateDetail): void {
    if (this.dispatchEvent(new CustomEvent("navigate", { detail, cancelable: true }))) {
      location.assign(detail.url);
    }
  }
}

if (globalThis.customElements && !customElements.get("belfry-inbox")) {
  customElements.define("belfry-inbox", BelfryInbox);
}

declare global {
  interface HTMLElementTagNameMap {
    "belfry-inbox": BelfryInbox;
  }
}
