import { type ClientOptions, createClient, type InboxClient } from "../src/index.ts";
import { changeBy } from "../test/change-by.ts";
import { randomsOf } from "../test/random.ts";
import { type Shown, showAll, shownOf } from "../test/shown.ts";

/** What the page of the tests has. */
export interface Tab {
  readonly inbox: InboxClient;
  /** The changes that were refused. */
  readonly failed: readonly string[];
  shown(): Shown;
  /** Makes random changes. */
  change(seed: number, count: number): void;
}

declare global {
  interface Window {
    openTab(user: string, options?: Partial<ClientOptions>): void;
    tab: Tab;
  }
}

window.openTab = (user, options = {}) => {
  const byToken = document.cookie.includes("user=") ? {} : { getToken: () => user };
  const inbox = createClient({ url: "/api/belfry/v1", user, pageSize: 5, ...byToken, ...options });
  const failed: string[] = [];
  inbox.on("failed", ({ change }) => void failed.push(change.change));
  showAll(inbox);
  inbox.start();
  window.tab = {
    inbox,
    failed,
    shown: () => shownOf(inbox),
    change(seed, count) {
      const random = randomsOf(seed);
      for (let made = 0; made < count; made += 1) {
        void changeBy(inbox, random);
      }
    },
  };
};
