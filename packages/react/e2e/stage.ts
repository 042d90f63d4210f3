import { createECDH } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ExpressBelfry, expressBelfry } from "@belfry/adapter-express";
import { type Channel, type Clock, type Directory, NotificationService, type NotificationTypes } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { sqliteStorage } from "@belfry/storage-sqlite";
import express from "express";
import { SignJWT } from "jose";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { watchPage } from "../../dashboard/e2e/browser.ts";
import { bundledPage, type PageFiles } from "./bundled-page.ts";

const SECRET = "a secret of at least 32 bytes, please";

/** A page with the inbox, and what its browser complains of. */
export interface OpenPage {
  readonly page: Page;
  readonly problems: string[];
}

/** A host over a real database that serves the native contract and a page with the inbox. */
export interface InboxStage {
  readonly service: NotificationService;
  /** Opens the page in a browser profile of its own. */
  open(search?: string, options?: BrowserContextOptions, prepare?: (page: Page) => Promise<unknown>): Promise<OpenPage>;
  /** Takes the host off the network; `mend` brings it back at the same place. */
  cut(): Promise<void>;
  mend(): Promise<void>;
  /** Closes what was opened. */
  closePages(): Promise<void>;
  end(): Promise<void>;
}

/** How the stage's service is made. `clock` is for stories that take longer than a test. */
interface InboxStageOptions {
  readonly clock?: Clock;
  readonly types?: NotificationTypes;
  readonly directory?: Directory;
  /** Makes the files of the page. @default a page with the inbox of React */
  readonly page?: () => Promise<PageFiles>;
}

/** A channel that delivers everything. */
const email: Channel = {
  name: "email",
  timeoutMs: 1_000,
  retryDelaysMs: [],
  invalidRecipient: () => null,
  deliver: async () => ({ status: "delivered", provider: "test" }),
};

/** A point of P-256, as a browser wants it. */
const PUSH_KEY = createECDH("prime256v1").generateKeys("base64url");

/** A channel to browsers. */
const push: Channel = {
  ...email,
  name: "push",
  devices: ["web"],
  webPushKey: () => PUSH_KEY,
};

const STYLES = '<link rel="stylesheet" href="/assets/page.css"><link rel="stylesheet" href="/assets/inbox.css">';

/** The document of a page that loads these files; a `bare` one has no styles. */
function documentOf(search: URLSearchParams): string {
  const scheme = search.get("scheme") ?? "light";
  return `<!doctype html><html lang="en" dir="${search.get("locale") === "ar" ? "rtl" : "ltr"}" style="color-scheme: ${scheme === "dark" ? "dark" : "light"}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Acme</title><link rel="icon" href="data:,">
${search.has("bare") ? "" : STYLES}</head>
<body><div id="root"></div><script type="module" src="/assets/main.js"></script></body></html>`;
}

/** A server that can be taken off the network and back. */
interface Host {
  port(): number;
  mend(): Promise<void>;
  cut(): Promise<void>;
}

/** Serves Belfry, tokens, and the page. */
async function startHost(belfry: ExpressBelfry, page: () => Promise<PageFiles>): Promise<Host> {
  const files = await page();
  const app = express();
  app.use(belfry);
  app.get("/token", async ({ query }, response) => {
    const token = new SignJWT({ sub: String(query.user) }).setProtectedHeader({ alg: "HS256" }).setExpirationTime("1h");
    response.type("text/plain").send(await token.sign(new TextEncoder().encode(SECRET)));
  });
  app.get("/belfry-worker.js", (_, response) => void response.type("text/javascript").send("// It shows nothing."));
  app.get("/assets/:name", ({ path }, response) => {
    const file = files.get(path);
    response
      .status(file ? 200 : 404)
      .type(file?.type ?? "text/plain")
      .send(file?.body ?? "");
  });
  app.get("/", ({ url }, response) => void response.type("text/html").send(documentOf(new URL(url, "http://localhost").searchParams)));
  const server = createServer(app);
  server.on("upgrade", belfry.upgrade);
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  let port = 0;
  const mend = async () => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  const cut = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) {
      socket.destroy();
    }
    await closed;
  };
  await mend();
  return { port: () => port, mend, cut };
}

/** Sets up a stage in `browser`. */
export async function setInboxStage(browser: Browser, { page = bundledPage, ...options }: InboxStageOptions = {}): Promise<InboxStage> {
  const directory = await mkdtemp(join(tmpdir(), "belfry-inbox-"));
  const service = new NotificationService({ storage: sqliteStorage(join(directory, "app.db")), channels: [email, push], ...options });
  const belfry = expressBelfry(service, { contracts: [native()], auth: { jwt: { secret: SECRET } } });
  const host = await startHost(belfry, page);
  const pages: Page[] = [];
  const closePages = async () => void (await Promise.all(pages.splice(0).map((page) => page.context().close())));
  return {
    service,
    cut: host.cut,
    mend: host.mend,
    closePages,
    async open(search = "", contextOptions = {}, prepare: (page: Page) => Promise<unknown> = async () => {}) {
      const context = await browser.newContext({ locale: "en", timezoneId: "UTC", ...contextOptions });
      const opened = await context.newPage();
      pages.push(opened);
      const problems = watchPage(opened);
      await prepare(opened);
      await opened.goto(`http://127.0.0.1:${host.port()}/${search}`);
      return { page: opened, problems };
    },
    async end() {
      await closePages();
      belfry.close();
      await host.cut();
      await service.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
