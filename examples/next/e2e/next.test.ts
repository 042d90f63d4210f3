import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBrowser, watchPage } from "../../../packages/dashboard/e2e/browser.ts";

const EXAMPLE = fileURLToPath(new URL("..", import.meta.url));
const NEXT = join(EXAMPLE, "node_modules/next/dist/bin/next");
/** The build compiles all of Next's own client, too. */
const BUILD_TIMEOUT_MS = 300_000;

// It takes as long as Next's build, which needs the packages built as a host has them: `pnpm test:next` does both.
describe.runIf(process.env.BELFRY_LONG)("the application, as Next builds it", () => {
  let browser: Awaited<ReturnType<typeof startBrowser>>;
  let server: ChildProcess;
  let url: string;
  let folder: string;

  const next = (...args: string[]) => {
    const { PATH } = process.env;
    const env = { PATH, NODE_ENV: "production" as const, NEXT_TELEMETRY_DISABLED: "1", DATABASE_FILE: join(folder, "app.db") };
    return spawn(process.execPath, [NEXT, ...args], { cwd: EXAMPLE, env, stdio: ["ignore", "pipe", "inherit"] });
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "belfry-next-"));
    browser = await startBrowser();
    const built = next("build");
    built.stdout?.resume();
    expect(await once(built, "exit")).toEqual([0, null]);
    server = next("start", "--hostname", "127.0.0.1", "--port", "0");
    let said = "";
    for await (const text of server.stdout ?? []) {
      said += text;
      const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(said) ?? [];
      if (found !== undefined && said.includes("Ready")) {
        url = found;
        break;
      }
    }
  }, BUILD_TIMEOUT_MS);

  afterAll(async () => {
    // It ends although pages still have their streams open.
    server.kill();
    await once(server, "exit");
    await browser.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens the page as a user, in a browser profile of its own. */
  async function signedIn(user: string) {
    const page = await (await browser.newContext({ locale: "en" })).newPage();
    const problems = watchPage(page);
    await page.goto(url);
    await page.getByRole("button", { name: `I am ${user}` }).click();
    await page.getByRole("heading", { name: `Hello, ${user}` }).waitFor();
    return { page, problems };
  }

  test("what one user writes is in the other's inbox at once, and in what the server renders", async () => {
    const [ann, bob] = await Promise.all([signedIn("Ann"), signedIn("Bob")]);
    await ann.page.getByLabel("To").selectOption("Bob");
    await ann.page.getByLabel("Text").fill("Lunch?");
    await ann.page.getByRole("button", { name: "Send" }).click();
    await bob.page.getByRole("button", { name: "Notifications, 1 unread" }).click();
    await bob.page.getByRole("article").getByText("Lunch?").waitFor();
    // The styles came through those of Next.
    const background = bob.page.locator(".belfry-panel").evaluate((panel) => getComputedStyle(panel).backgroundColor);
    expect(await background).toBe("rgb(255, 255, 255)");

    const cookies = await bob.page.context().cookies();
    const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
    const rendered = await (await fetch(url, { headers: { cookie } })).text();
    expect(rendered).toContain("Ann wrote to you");
    expect(await (await fetch(url)).text()).not.toContain("Ann wrote to you");

    // The browser takes over what the server rendered without a complaint, and changes arrive at the server.
    await bob.page.reload();
    await bob.page.getByRole("button", { name: "Notifications, 1 unread" }).click();
    await bob.page.getByRole("article").waitFor();
    await bob.page.getByRole("button", { name: "Mark all as read" }).click();
    const counts = async () => {
      const answer = await fetch(`${url}/api/belfry/v1/inbox/counts`, { headers: { cookie } });
      return (await answer.json()) as unknown;
    };
    await expect.poll(counts).toMatchObject({ counts: { unread: 0 } });
    expect([ann.problems, bob.problems]).toEqual([[], []]);
  });
});
