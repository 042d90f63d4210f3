import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { recorder, testClock } from "@belfry/testkit/host";
import { onTestFinished } from "vitest";
import { forumApp } from "../src/app.ts";
import { Database } from "../src/database.ts";
import { forumNotifications } from "../src/notifications.ts";

/** A forum of Ann, Bob, Carl and Dora, on Tuesday, 1 January 2030 at noon. Its clock stands still, and its mails go nowhere. */
export async function tryForum() {
  const folder = await mkdtemp(join(tmpdir(), "belfry-forum-"));
  const database = new Database(join(folder, "forum.db"));
  for (const [id, locale] of Object.entries({ ann: "en", bob: "de", carl: "en", dora: "en" })) {
    database.addUser({ id, email: `${id}@example.com`, locale });
  }
  const [clock, mails] = [testClock(new Date("2030-01-01T12:00:00Z")), recorder({ name: "email" })];
  const linkSecret = "a secret of tests alone, 32 characters";
  const notifications = forumNotifications(database, { channels: [mails], publicUrl: "http://forum.example", linkSecret, clock });
  const { app } = forumApp(database, notifications);
  onTestFinished(async () => {
    await notifications.stop();
    database.close();
    await rm(folder, { recursive: true });
  });

  /** Asks as a user would, and returns what the forum answers. */
  async function as(user: string, method: string, path: string, body?: unknown) {
    const headers = { "X-User": user, "Content-Type": "application/json" };
    const response = await app.request(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
    const text = await response.text();
    return { status: response.status, body: text === "" ? null : JSON.parse(text) };
  }

  return {
    app,
    as,
    database,
    mails,
    notifications,
    /** Lets time pass, and everything happen that is due then. */
    async pass(ms: number) {
      await clock.pass(ms);
      await notifications.runDue();
    },
    async passTo(time: string) {
      await clock.passTo(new Date(time));
      await notifications.runDue();
    },
    /** Starts a discussion, and returns its id. */
    async post(user: string, post: { readonly title: string; readonly text?: string; readonly closesAt?: string }): Promise<string> {
      return (await as(user, "POST", "/posts", { text: "", ...post })).body.id;
    },
    reply: (user: string, post: string, text: string) => as(user, "POST", `/posts/${post}/replies`, { text }),
    /** The titles in a user's inbox, the newest first, as a client of the contract sees them. */
    async inbox(user: string): Promise<string[]> {
      const { notifications: items } = (await as(user, "GET", "/api/v1/notifications")).body;
      return items.map(({ title }: { readonly title: string }) => title);
    },
    /** The subjects of a user's mails. */
    mailsOf: (user: string) => mails.of(user).map(({ title }) => title),
  };
}
