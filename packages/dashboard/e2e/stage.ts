import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Channel,
  type Clock,
  type Directory,
  NotificationService,
  type NotificationServiceOptions,
  type NotificationTypes,
  type Processor,
} from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { BreakableChannel } from "../test/breakable-channel.ts";
import { type HostOptions, type RunningHost, startHost } from "../test/host.ts";
import { watchPage } from "./browser.ts";

/** A page and its problems: violations of the policy, errors, anything on the console. */
export interface WatchedPage {
  readonly page: Page;
  /** A test that provokes problems empties this list. */
  readonly problems: string[];
}

/** A host over a real database, and browsers that show its dashboard. */
export interface Stage {
  readonly channel: BreakableChannel;
  /** The host's present service; {@link start} makes a new one. */
  service(): NotificationService;
  url(): string;
  /** A second service on the same database; to the page it is another process. */
  elsewhere(): NotificationService;
  /** Opens the dashboard in a browser profile of its own. */
  open(search?: string, options?: BrowserContextOptions): Promise<WatchedPage>;
  /** Stops the host and its service; `start` starts them again on the same port and database. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends everything. */
  end(): Promise<void>;
}

/** Runs handlers; an event that mentions a fault fails. */
const processor: Processor = {
  name: "test",
  timeoutMs: 1_000,
  concurrency: 10,
  async process({ notification }) {
    return notification.content.includes("fault")
      ? { status: "failed", transient: false, error: "The model refused." }
      : { status: "completed", text: "Tell Ann about it.", usage: { inputTokens: 20, outputTokens: 5 } };
  },
};

/** How a stage's service is made. `clock` is for stories that take longer than a test; `channels` come beside the stage's own. */
interface StageOptions extends HostOptions {
  /** Opens the database. @default one of SQLite, which is removed with the stage */
  readonly storage?: () => NotificationServiceOptions["storage"];
  readonly directory?: Directory;
  readonly channels?: readonly Channel[];
  readonly clock?: Clock;
  readonly types?: NotificationTypes;
}

/** Sets up a stage in `browser`. */
export async function setStage(
  browser: Browser,
  { clock, types, directory, channels = [], storage: given, ...options }: StageOptions,
): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "belfry-e2e-"));
  const storage = given ?? (() => sqliteStorage(join(folder, "app.db")));
  const channel = new BreakableChannel();
  const pages: Page[] = [];
  const others: NotificationService[] = [];
  let running: { host: RunningHost; service: NotificationService } | null = null;
  let port: number | undefined;
  const current = () => {
    if (running === null) {
      throw new Error("The stage's host is stopped.");
    }
    return running;
  };
  const stage: Stage = {
    channel,
    service: () => current().service,
    url: () => current().host.url,
    elsewhere() {
      const service = new NotificationService({ storage: storage(), delivery: { worker: false } });
      others.push(service);
      return service;
    },
    async open(search = "", contextOptions = {}) {
      const context = await browser.newContext({ locale: "en", timezoneId: "UTC", ...contextOptions });
      const page = await context.newPage();
      pages.push(page);
      const problems = watchPage(page);
      await page.goto(current().host.url + search);
      return { page, problems };
    },
    async start() {
      const service = new NotificationService({
        storage: storage(),
        channels: [channel, ...channels],
        hub: { processor },
        ...(clock === undefined ? {} : { clock }),
        ...(types === undefined ? {} : { types }),
        ...(directory === undefined ? {} : { directory }),
      });
      const host = await startHost(service, { ...options, ...(port === undefined ? {} : { port }) });
      port = host.port;
      running = { host, service };
    },
    async stop() {
      const { host, service } = current();
      running = null;
      await host.close();
      await service.stop();
    },
    async end() {
      await Promise.all(pages.map((page) => page.context().close()));
      if (running !== null) {
        await stage.stop();
      }
      await Promise.all(others.map((other) => other.stop()));
      await rm(folder, { recursive: true, force: true });
    },
  };
  await stage.start();
  return stage;
}
