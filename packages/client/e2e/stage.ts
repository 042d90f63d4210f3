import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Channel } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { type BuildOptions, build } from "esbuild";
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

/** Sets up a stage in a browser. @param channels is asked at each start of the host */
export async function setStage(browser: Browser, channels: () => readonly Channel[] = () => []): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "belfry-client-"));
  const page = new URL("page.ts", import.meta.url).pathname;
  const worker = new URL("../src/push/ready-worker.ts", import.meta.url).pathname;
  const bundled = (entry: string, more: BuildOptions) =>
    build({ entryPoints: [entry], bundle: true, conditions: ["@belfry/source"], ...more, write: false });
  const { outputFiles } = await bundled(page, { outdir: "/assets", splitting: true, format: "esm" });
  const [workerFile] = (await bundled(worker, { format: "iife" })).outputFiles;
  const scripts = new Map(outputFiles.map(({ path, text }) => [path, text]));
  const host = await startHost({
    options: () => ({ storage: sqliteStorage(join(folder, "app.db")), channels: channels() }),
    routes(app) {
      app.get("/", (context) =>
        context.html('<!doctype html><link rel="icon" href="data:,"><script type="module" src="/assets/page.js"></script>'),
      );
      app.get("/belfry-worker.js", (context) => context.body(workerFile?.text ?? "", 200, { "content-type": "text/javascript" }));
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
