import { describe, expect, test } from "vitest";
import { mailPeer } from "../../../examples/server/test/mail-peer.ts";
import { type ServerProcess, startServer } from "../../../examples/server/test/run-server.ts";
import { InboxFollower, JWT_SECRET } from "./inbox-follower.ts";
import { testDatabase } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const KEY = "key-of-the-default-tenant";
const ANN = "ann@example.com";
/** Far less than the 90 s for which a killed process once counted as connected. */
const WAIT = { timeout: 40_000, interval: 25 };

describe("two server processes on one database, and a user's socket at the first", { timeout: 120_000 }, () => {
  const cleanup = useCleanup();

  async function startBoth() {
    const { url, pool } = await testDatabase(cleanup);
    const mail = await mailPeer();
    cleanup(() => mail.close());
    const env = { DATABASE_URL: url, JWT_SECRET, API_KEYS: `${KEY}=default`, SMTP_URL: mail.url, EMAIL_FROM: "belfry@example.com" };
    const [first, second] = (await Promise.all([startServer(env), startServer(env)])) as [ServerProcess, ServerProcess];
    cleanup(() => Promise.all([first, second].map((server) => (server.child.signalCode === null ? server.stop() : null))));
    const follower = new InboxFollower(ANN);
    cleanup(() => follower.close());
    await follower.connect(first.url);
    const present = async () =>
      (await pool.query<{ user_id: string }>("SELECT user_id FROM belfry_presence WHERE user_id <> ''")).rows.map((row) => row.user_id);
    await expect.poll(present, WAIT).toEqual([ANN]);
    return { first, second, pool, mails: mail.mails, present };
  }

  const ask = async (url: string, body?: object) => {
    const headers = { "x-api-key": KEY, "content-type": "application/json" };
    const response = await fetch(url, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
    return ((await response.json()) as { data: { id: string; status: string } }).data;
  };

  /** Sends to ann over `server` and returns where to look for what became of it. */
  async function send({ url }: ServerProcess, content: string): Promise<string> {
    const list = `${url}/api/v1/notifications`;
    const { id } = await ask(list, { type: "websocket", recipients: [ANN], content, email_fallback: true });
    return `${list}/${id}`;
  }

  test("while it lives, the second counts its socket; once it is killed, the mail goes", async () => {
    const { first, second, mails } = await startBoth();
    const seen = await send(second, "over the socket");
    await expect.poll(async () => (await ask(seen)).status, WAIT).toBe("sent");
    expect(mails).toEqual([]);
    first.child.kill("SIGKILL");
    await first.exited;
    await send(second, "by mail");
    await expect.poll(() => mails.map(({ to, mail }) => [...to, mail.text?.trim()]), WAIT).toEqual([[ANN, "by mail"]]);
  });

  test("SIGINT and SIGTERM at once leave no presence", async () => {
    const { first, pool, present } = await startBoth();
    first.child.kill("SIGINT");
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    expect([await present(), (await pool.query("SELECT FROM belfry_presence")).rowCount]).toEqual([[], 0]);
  });
});
