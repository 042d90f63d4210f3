import { describe, expect, test } from "vitest";
import { hostDatabase } from "../../../examples/server/test/host-database.ts";
import { type MailPeer, mailPeer } from "../../../examples/server/test/mail-peer.ts";
import { type ServerProcess, startServer } from "../../../examples/server/test/run-server.ts";
import { InboxFollower, JWT_SECRET } from "./inbox-follower.ts";
import { testDatabase } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const KEY = "key-of-the-default-tenant";
const ANN = "ann@example.com";
/** Longer than the 10 s for which a killed process counts as connected, so that a busy machine fails no test. */
const WAIT = { timeout: 40_000, interval: 25 };

function serverEnv(databaseUrl: string, mailUrl: string) {
  return { DATABASE_URL: databaseUrl, JWT_SECRET, API_KEYS: `${KEY}=default`, SMTP_URL: mailUrl, EMAIL_FROM: "belfry@example.com" };
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

/** Sends to ann, waits until that comes by mail alone, and says how long after the kill. */
async function mailAfterKill(killedAtMs: number, server: ServerProcess, mails: MailPeer["mails"]): Promise<void> {
  await send(server, "by mail");
  await expect.poll(() => mails.map(({ to, mail }) => [...to, mail.text?.trim()]), WAIT).toEqual([[ANN, "by mail"]]);
  const seconds = (performance.now() - killedAtMs) / 1_000;
  process.stdout.write(`The mail went ${seconds.toFixed(1)} s after the kill of the process with the socket.\n`);
}

describe("two server processes on one database, and a user's socket at the first", { timeout: 120_000 }, () => {
  const cleanup = useCleanup();

  async function startBoth() {
    const { url, pool } = await testDatabase(cleanup);
    const mail = await mailPeer();
    cleanup(() => mail.close());
    const env = serverEnv(url, mail.url);
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

  test("while it lives, the second counts its socket; once it is killed, the mail goes", async () => {
    const { first, second, mails } = await startBoth();
    const seen = await send(second, "over the socket");
    await expect.poll(async () => (await ask(seen)).status, WAIT).toBe("sent");
    expect(mails).toEqual([]);
    first.child.kill("SIGKILL");
    const killedAtMs = performance.now();
    await first.exited;
    await mailAfterKill(killedAtMs, second, mails);
  });

  test("SIGINT and SIGTERM at once leave no presence", async () => {
    const { first, pool, present } = await startBoth();
    first.child.kill("SIGINT");
    first.child.kill("SIGTERM");
    expect(await first.exited).toBe(0);
    expect([await present(), (await pool.query("SELECT FROM belfry_presence")).rowCount]).toEqual([[], 0]);
  });
});

test("on SQLite, the process that follows a killed one knows at once that no socket is left", { timeout: 120_000 }, async ({
  onTestFinished,
}) => {
  const database = await hostDatabase("sqlite");
  onTestFinished(() => database.drop());
  const mail = await mailPeer();
  onTestFinished(() => mail.close());
  const env = serverEnv(database.url, mail.url);
  const first = await startServer(env);
  const follower = new InboxFollower(ANN);
  onTestFinished(() => follower.close());
  await follower.connect(first.url);
  const seen = await send(first, "over the socket");
  await expect.poll(async () => (await ask(seen)).status, WAIT).toBe("sent");
  expect(mail.mails).toEqual([]);
  first.child.kill("SIGKILL");
  const killedAtMs = performance.now();
  await first.exited;
  const second = await startServer(env);
  onTestFinished(() => void second.stop());
  await mailAfterKill(killedAtMs, second, mail.mails);
});
