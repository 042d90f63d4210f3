import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { build } from "esbuild";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { type Host, startHost } from "../test/host.ts";

/** A host over a real database, whose page has a client. */
export interface Stage extends Host {
  /** The paths of the page's scripts. */
  readonly scripts: readonly string[];
  /** A browser profile of its own: its tabs share nothing with those of others. */
  profile(): Promise<BrowserContext>;
  /** Opens a tab of a user, and waits until the client is connected. */
  open(profile: BrowserContext, user: string): Promise<Page>;
  end(): Promise<void>;
}

/** Sets up a stage in a browser. */
export async function setStage(browser: Browser): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "belfry-client-"));
  const page = new URL("page.ts", import.meta.url).pathname;
  const { outputFiles } = await build({
    entryPoints: [page],
    outdir: "/assets",
    bundle: true,
    splitting: true,
    format: "esm",
    write: false,
    conditions: ["@belfry/source"],
  });
  const scripts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const host = await startHost({
    options: () => ({ storage: sqliteStorage(join(folder, "app.db")) }),
    routes(app) {
      app.get("/", (context) =>
        context.html('<!doctype html><link rel="icon" href="data:,"><script type="module" src="/assets/page.js"></script>'),
      );
      app.get("/assets/:name", (context) => context.body(scripts.get(context.req.path) ?? "", 200, { "content-type": "text/javascript" }));
    },
  });
  const profiles: BrowserContext[] = [];
  return Object.assign(host, {
    scripts: [...scripts.keys()],
    async profile() {
      const profile = await browser.newContext();
      profiles.push(profile);
      return profile;
    },
    async open(profile: BrowserContext, user: string) {
      const tab = await profile.newPage();
      await tab.addInitScript((name) => window.addEventListener("DOMContentLoaded", () => window.openTab(name)), user);
      await tab.goto(new URL("/", host.url).href);
      return tab;
    },
    async end() {
      await Promise.all(profiles.map((profile) => profile.close()));
      await host.stop();
      await rm(folder, { recursive: true });
    },
  });
}
