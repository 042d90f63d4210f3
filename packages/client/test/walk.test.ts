import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { expect, test, vi } from "vitest";
import { createClient, type InboxClient, type Result } from "../src/index.ts";
import { changeBehind } from "./change-behind.ts";
import { changeBy } from "./change-by.ts";
import { startHost } from "./host.ts";
import { type Random, randomsOf } from "./random.ts";
import { FILTERS, showAll, shownOf } from "./shown.ts";
import { expectTruth } from "./truth.ts";

const [STEPS, SEEDS] = process.env.BELFRY_LONG ? [5_000, [[1], [2], [3], [4]]] : [120, [[1]]];

/** A network that loses some requests before the server gets them, and some answers. */
function faultyFetch(random: Random, isFaulty: () => boolean): typeof fetch {
  return async (...request) => {
    const fault = isFaulty() ? random(12) : -1;
    if (fault === 0) {
      throw new TypeError("The request was lost.");
    }
    const response = await fetch(...request);
    if (fault === 1) {
      await response.body?.cancel();
      throw new TypeError("The answer was lost.");
    }
    if (fault === 2) {
      await response.body?.cancel();
      return new Response(null, { status: 503 });
    }
    return response;
  };
}

test.each(SEEDS)(
  "walk %i: whatever is changed, lost or refused, clients end with what the service has",
  { timeout: 1_800_000 },
  async (seed) => {
    const random = randomsOf(seed);
    const folder = await mkdtemp(join(tmpdir(), "belfry-client-"));
    const host = await startHost({ options: () => ({ storage: sqliteStorage(join(folder, "app.db")) }) });
    let isFaulty = true;
    const fetch = faultyFetch(random, () => isFaulty);
    const user = `walker-${seed}`;
    // Two of them share a connection, as tabs do. The others are other browsers.
    const clients = ["tab", "tab", "sse", "ws"].map((kind, index) => {
      const transports = kind === "tab" ? (["ws", "sse"] as const) : ([kind] as readonly ("sse" | "ws")[]);
      const tabs = kind === "tab" ? "leader" : "each";
      const client = createClient({
        url: host.url,
        getToken: () => user,
        user: `${user}-${kind === "tab" ? kind : index}`,
        transports,
        tabs,
        fetch,
        pageSize: 5,
      });
      showAll(client);
      client.start();
      return client;
    });
    const results: Promise<Result<number>>[] = [];
    try {
      for (let step = 0; step < STEPS; step += 1) {
        const client = clients[random(clients.length)] as InboxClient;
        const kind = random(100);
        if (kind < 40) {
          results.push(changeBy(client, random));
        } else if (kind < 90) {
          await changeBehind(host.service, user, random);
        } else if (kind < 94) {
          host.drop();
        } else if (kind < 97) {
          await client.view(FILTERS[random(FILTERS.length)]).fetchMore();
        } else if (kind < 99) {
          client.stop();
          client.start();
        } else {
          await host.stop();
          await host.start();
        }
        await new Promise((resolve) => setTimeout(resolve, random(10)));
      }
      isFaulty = false;
      const ends = await Promise.all(results);
      expect(ends.filter((result) => !result.ok).map(({ error }) => error.status)).toEqual(ends.filter(({ ok }) => !ok).map(() => 422));
      for (const client of clients) {
        await vi.waitFor(() => expectTruth(host.service, user, shownOf(client)), { timeout: 40_000, interval: 200 });
        expect(client.getSnapshot()).toMatchObject({ connection: "open", error: null });
      }
    } finally {
      for (const client of clients) {
        client.stop();
      }
      await host.stop();
      await rm(folder, { recursive: true });
    }
  },
);
