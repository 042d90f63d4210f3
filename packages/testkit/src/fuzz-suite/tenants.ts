import type { NotificationService } from "@belfry/core";
import { expect } from "vitest";
import { ask } from "../http-suite/client.ts";
import { API_KEY, OTHER_API_KEY, type Setting } from "../http-suite/setting.ts";

/** A text that stands in everything that the other tenant has. No answer to the fuzz may contain it. */
export const CANARY = "canary-of-globex";

const LATER = "2099-01-01T00:00:00Z";
const MOST_HANDLERS = 3;

/** Words that mean something on every fresh server. */
const WORDS = [
  "ann",
  "bob",
  "shop",
  "globex",
  "acme",
  "1",
  "2",
  "99",
  "last",
  "01920000-0000-7000-8000-000000000000",
  "a@x.test",
  "https://hooks.example.com/in",
];

/** The two tenants of a fuzz: acme, whose credentials it has, and globex, whose data it must neither see nor change. */
export class Tenants {
  readonly service: NotificationService;
  readonly #url: string;
  /** Ids and cursors of globex. */
  readonly #foreign: string[] = [];

  constructor({ service, url }: Setting) {
    this.service = service;
    this.#url = url;
  }

  /** Fills both tenants with the same kinds of data. */
  async fill(): Promise<void> {
    await this.#fillOne(API_KEY, "own");
    await this.#fillOne(OTHER_API_KEY, CANARY);
    await this.service.create({ to: "ann", title: "in the default tenant" });
    await this.service.create({ to: "bob", title: CANARY, message: CANARY });
    this.#foreign.push(...(await this.#ids(OTHER_API_KEY)));
    const cursor = (await this.service.tenant("globex").inbox("ann").list({ limit: 1 })).nextCursor;
    this.#foreign.push(cursor ?? "");
  }

  /** Everything that globex has, as its own client sees it. */
  async theirs(): Promise<readonly unknown[]> {
    const inboxes = await Promise.all(["ann", "bob"].map((user) => this.service.tenant("globex").inbox(user).list({ limit: 1_000 })));
    const default_ = await this.service.inbox("bob").list({});
    return [...(await this.#lists(OTHER_API_KEY)), ...inboxes, default_];
  }

  /** Texts that mean something now: both tenants' ids, users, cursors. */
  async words(): Promise<readonly string[]> {
    const { nextCursor } = await this.service.tenant("acme").inbox("ann").list({ limit: 1 });
    return [...WORDS, ...this.#foreign, ...(await this.#ids(API_KEY)), nextCursor ?? "none"];
  }

  /** Removes most of acme's handlers, since every event runs each one that fits, and gives it something to lose again. */
  async tidy(): Promise<void> {
    const { handlers } = this.service.tenant("acme").hub;
    const { items } = await handlers.list({ limit: 100 });
    await Promise.all(items.slice(MOST_HANDLERS).map(({ id }) => handlers.remove(id)));
    await this.#fillOne(API_KEY, "own");
    await this.service.create({ to: "ann", title: "in the default tenant" });
  }

  async #fillOne(key: string, text: string): Promise<void> {
    const meta = { note: text, [text]: [text] };
    const post = async (path: string, json: object) => {
      const answer = await ask(`${this.#url}${path}`, { method: "POST", json, headers: { "x-api-key": key } });
      expect(answer.status).toBeLessThan(300);
    };
    const send = { type: "websocket", recipients: ["ann", "bob"], subject: text, content: text, meta };
    await post("/api/v1/notifications", send);
    await post("/api/v1/notifications", { ...send, scheduled_at: LATER });
    await post("/notification-handlers", { source_service: "shop", prompt: text, metadata_filter: { [text]: text } });
    await post("/notifications", { source_service: "shop", sender_id: "ann", content: text, metadata: meta });
    await post("/identities", { source_service: "shop", source_id: "ann", name: text, metadata: meta });
    await post("/api/notifications/create", { user_id: "ann", content: text });
  }

  async #lists(key: string): Promise<readonly unknown[]> {
    const paths = [
      "/api/v1/notifications?limit=100",
      "/notifications?limit=100",
      "/notification-handlers?limit=100",
      "/identities?limit=100",
    ];
    return Promise.all(paths.map(async (path) => (await ask(`${this.#url}${path}`, { headers: { "x-api-key": key } })).body));
  }

  async #ids(key: string): Promise<string[]> {
    const text = JSON.stringify(await this.#lists(key));
    return [...new Set([...text.matchAll(/"id":"([0-9a-f-]{36})"/g)].map(([, id]) => id ?? ""))].slice(0, 40);
  }
}
