import { execFile } from "node:child_process";
import { promisify } from "node:util";
import Database from "better-sqlite3";
import { SignJWT } from "jose";
import pg from "pg";
import { Webhook } from "standardwebhooks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { HOSTS, type HostDatabase, hostDatabase } from "./host-database.ts";
import { type MailPeer, mailPeer } from "./mail-peer.ts";
import { type ServerProcess, startServer } from "./run-server.ts";
import { type WebhookPeer, webhookPeer } from "./webhook-peer.ts";

const run = promisify(execFile);
const SECRET = `whsec_${Buffer.from("a secret of thirty-two bytes ok.").toString("base64")}`;
const JWT_SECRET = "a secret that signs tokens of users";
const KEY = "key-of-acme";
const PATIENCE = { timeout: 45_000, interval: 25 };
/** How many calls send a thousand webhooks each. */
const CALLS = process.env.BELFRY_LONG ? 10 : 1;

interface Sent {
  readonly id: string;
  readonly status: string;
  readonly delivery_attempts: number;
  readonly meta: { readonly delivery_details?: { readonly fallback_used: boolean; readonly attempts: readonly Record<string, unknown>[] } };
}

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) {
    await close();
  }
});

describe.each(HOSTS)("the complete host on %s over %s delivers", (framework, kind) => {
  let mail: MailPeer;
  let hooks: WebhookPeer;
  let server: ServerProcess;
  let data: HostDatabase;
  /** The receiver's answers by path; 204 for the others. */
  const answers = new Map<string, (count: number) => number | null | Promise<number | null>>();

  beforeAll(async () => {
    mail = await mailPeer();
    hooks = await webhookPeer(({ path }, count) => {
      const answer = answers.get(path);
      return answer ? answer(count) : 204;
    });
    data = await hostDatabase(kind);
    server = await start();
  });

  afterAll(async () => {
    await server.stop();
    await hooks.close();
    await mail.close();
    await data.drop();
  });

  function start(env: Readonly<Record<string, string>> = {}): Promise<ServerProcess> {
    return startServer({
      FRAMEWORK: framework,
      DATABASE_URL: data.url,
      API_KEYS: `${KEY}=acme`,
      JWT_SECRET,
      SMTP_URL: mail.url,
      EMAIL_FROM: "Acme <acme@example.com>",
      WEBHOOK_SECRET: SECRET,
      WEBHOOK_ALLOW_PRIVATE: "1",
      RETRY_BASE_MS: "1",
      USER_EMAILS: "user_123=user_123@example.com",
      ...env,
    });
  }

  async function ask<Data = Sent>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: { data: Data; pagination?: object } & Record<string, unknown> }> {
    const response = await fetch(`${server.url}/api/v1/notifications${path}`, {
      method,
      headers: { "X-API-Key": KEY, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as { data: Data; pagination?: object } & Record<string, unknown> };
  }

  async function send(body: object): Promise<string> {
    const answer = await ask("POST", "/", body);
    expect([answer.status, answer.body.data?.status]).toEqual([201, "pending"]);
    return answer.body.data.id;
  }

  async function settled(id: string): Promise<Sent> {
    await expect.poll(async () => (await ask("GET", `/${id}`)).body.data.status, PATIENCE).not.toBe("pending");
    return (await ask("GET", `/${id}`)).body.data;
  }

  /** Opens a user's live socket, and collects its frames. */
  async function connect(user: string): Promise<{ readonly frames: { type: string; entity_id: string }[]; send(frame: object): void }> {
    const token = await new SignJWT({})
      .setProtectedHeader({ alg: "HS256" })
      .setSubject(user)
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(JWT_SECRET));
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/v1/ws/events?token=${token}&since=0&epoch=0`);
    const frames: { type: string; entity_id: string }[] = [];
    socket.on("message", (text) => frames.push(JSON.parse(text.toString())));
    closing.push(() => socket.terminate());
    // The `inbox_state` after a replay says that the socket is live.
    await expect.poll(() => frames.some(({ type }) => type === "inbox_state"), PATIENCE).toBe(true);
    return { frames, send: (frame) => socket.send(JSON.stringify(frame)) };
  }

  test("an e-mail, as it was written", async () => {
    const id = await send({
      type: "email",
      recipients: ["ann@example.com"],
      subject: "Grüße",
      content: "Hallo Ann",
      meta: { html_content: "<h1>Hallo</h1><script>x</script>" },
    });
    const sent = await settled(id);
    expect([sent.status, sent.delivery_attempts]).toEqual(["delivered", 1]);
    expect(sent).toMatchObject({
      delivered_at: expect.stringMatching(/Z$/),
      meta: { delivery_details: { attempts: [{ status: "delivered" }] } },
    });
    const received = mail.mails.find(({ to }) => to[0] === "ann@example.com");
    expect([received?.mail.subject, received?.mail.text?.trim(), received?.mail.html?.trim()]).toEqual([
      "Grüße",
      "Hallo Ann",
      "<h1>Hallo</h1>",
    ]);
  });

  test("to a user's open socket; once acknowledged, it is delivered", async () => {
    const socket = await connect("online");
    const id = await send({ type: "websocket", recipients: ["online"], subject: "Hi", content: "there", email_fallback: true });
    await expect.poll(() => socket.frames.find(({ type }) => type === "notification_new")?.entity_id, PATIENCE).toBe(id);
    expect((await settled(id)).status).toBe("sent");
    socket.send({ type: "ack", notification_id: id });
    await expect.poll(async () => (await ask("GET", `/${id}`)).body.data.status, PATIENCE).toBe("delivered");
    expect(mail.mails.filter(({ to }) => to[0] === "online")).toEqual([]);
  });

  test("by e-mail when the user is offline, and says that the fallback was used", async () => {
    const id = await send({
      type: "websocket",
      recipients: ["offline@example.com"],
      subject: "Missed",
      content: "you",
      email_fallback: true,
    });
    const sent = await settled(id);
    expect([sent.status, sent.meta.delivery_details?.fallback_used]).toEqual(["delivered", true]);
    expect(mail.mails.find(({ to }) => to[0] === "offline@example.com")?.mail.subject).toBe("Missed");
  });

  test("by e-mail to the address that USER_EMAILS knows of an offline user", async () => {
    const id = await send({ type: "websocket", recipients: ["user_123"], subject: "Known", content: "you", email_fallback: true });
    const sent = await settled(id);
    expect([sent.status, sent.meta.delivery_details?.fallback_used]).toEqual(["delivered", true]);
    expect(mail.mails.find(({ to }) => to[0] === "user_123@example.com")?.mail.subject).toBe("Known");
  });

  test("to two receivers, one of which refuses for good: partial", async () => {
    answers.set("/gone", () => 410);
    const id = await send({ type: "webhook", recipients: [`${hooks.url}/fine`, `${hooks.url}/gone`], content: "x" });
    expect((await settled(id)).status).toBe("partial");
    const mails = await send({ type: "email", recipients: ["bob@example.com", "nobody@example.com"], subject: "s", content: "c" });
    expect((await settled(mails)).status).toBe("partial");
  });

  test("a webhook after 503, 503, 200: three attempts under one id, each signed", async () => {
    answers.set("/flaky", (count) => (count < 3 ? 503 : 200));
    const id = await send({
      type: "webhook",
      recipients: [`${hooks.url}/flaky`],
      content: "New message in room",
      meta: { event: "message_created" },
    });
    const sent = await settled(id);
    expect([sent.status, sent.delivery_attempts, sent.meta.delivery_details?.attempts.map(({ status }) => status)]).toEqual([
      "delivered",
      3,
      ["failed", "failed", "delivered"],
    ]);
    const arrived = hooks.arrived.filter(({ path }) => path === "/flaky");
    expect(new Set(arrived.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    for (const { headers, body } of arrived) {
      expect(new Webhook(SECRET).verify(body, headers as Record<string, string>)).toMatchObject({ type: "message_created", data: { id } });
    }
  });

  test("one notification for twenty parallel creates with one idempotency key", async () => {
    const body = JSON.stringify({ type: "webhook", recipients: [`${hooks.url}/once`], content: "once" });
    const headers = { "X-API-Key": KEY, "Content-Type": "application/json", "Idempotency-Key": "only-once" };
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () =>
        (await fetch(`${server.url}/api/v1/notifications/`, { method: "POST", headers, body })).json(),
      ),
    );
    const ids = new Set((answers as { data: Sent }[]).map(({ data: { id } }) => id));
    expect(ids.size).toBe(1);
    await settled([...ids][0] ?? "");
    expect(hooks.arrived.filter(({ path }) => path === "/once")).toHaveLength(1);
  });

  test("a scheduled notification at its time, and nothing of a cancelled one", async () => {
    const soon = (ms: number) => new Date(Date.now() + ms).toISOString();
    const never = await send({ type: "webhook", recipients: [`${hooks.url}/never`], content: "x", scheduled_at: soon(1_500) });
    const item = await send({ type: "websocket", recipients: ["later"], content: "x", scheduled_at: soon(1_500) });
    const after = await send({ type: "webhook", recipients: [`${hooks.url}/after`], content: "x", scheduled_at: soon(2_000) });
    expect((await ask("POST", `/${never}/cancel`)).body.data.status).toBe("cancelled");
    const socket = await connect("later");
    expect(socket.frames.some(({ entity_id }) => entity_id === item)).toBe(false);
    expect((await settled(after)).status).toBe("delivered");
    await expect.poll(() => socket.frames.some(({ entity_id }) => entity_id === item), PATIENCE).toBe(true);
    expect(hooks.arrived.filter(({ path }) => path === "/never")).toEqual([]);
  });

  test("everything, although the process gets SIGTERM with a hundred under way", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    for (let index = 0; index < 100; index += 1) {
      answers.set(`/slow?${index}`, async () => {
        await released;
        return 200;
      });
    }
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, index) => send({ type: "webhook", recipients: [`${hooks.url}/slow?${index}`], content: `${index}` })),
    );
    await expect.poll(() => hooks.arrived.filter(({ path }) => path.startsWith("/slow")).length, PATIENCE).toBeGreaterThan(10);
    const stopped = server.stop();
    release();
    expect(await stopped).toBe(0);
    expect(await leases(data.url)).toBe(0);
    server = await start();
    for (const id of ids) {
      expect((await settled(id)).status).toBe("delivered");
    }
    const arrived = hooks.arrived.filter(({ path }) => path.startsWith("/slow"));
    expect(new Set(arrived.map(({ headers }) => headers["webhook-id"])).size).toBe(100);
  });

  test(`${CALLS * 1_000} webhooks, while those to an endpoint that never answers are retried`, async () => {
    answers.set("/dead", () => null);
    const dead = await Promise.all(
      Array.from({ length: 20 }, (_, index) => send({ type: "webhook", recipients: [`${hooks.url}/dead`], content: `${index}` })),
    );
    const recipients = Array.from({ length: CALLS * 1_000 }, (_, index) => `${hooks.url}/fast/${index}`);
    const room = "550e8400-e29b-41d4-a716-446655440009";
    // A call takes a thousand recipients.
    const healthy = await Promise.all(
      Array.from({ length: CALLS }, (_, call) =>
        send({ type: "webhook", room_id: room, recipients: recipients.slice(call * 1_000, (call + 1) * 1_000), content: "x" }),
      ),
    );
    await expect
      .poll(async () => (await ask("GET", `/?limit=1&status=delivered&room_id=${room}`)).body.pagination, { ...PATIENCE, interval: 250 })
      .toMatchObject({ total: CALLS });
    expect(new Set(hooks.arrived.filter(({ path }) => path.startsWith("/fast/")).map(({ path }) => path)).size).toBe(CALLS * 1_000);
    expect(
      (await ask("GET", `/?limit=1&status=pending&recipient=${encodeURIComponent(`${hooks.url}/dead`)}`)).body.pagination,
    ).toMatchObject({ total: 20 });
    for (const id of [...dead, ...healthy]) {
      expect((await ask("DELETE", `/${id}`)).status).toBe(200);
    }
  }, 120_000);

  test("the notifications of the document's four curl commands", async () => {
    const room = "550e8400-e29b-41d4-a716-446655440001";
    const documented = [
      {
        type: "email",
        room_id: room,
        recipients: ["user@example.com"],
        subject: "New message in General Discussion",
        content: 'You have a new message from John Doe: "Hello everyone!"',
        meta: { priority: "normal", category: "message_notification" },
      },
      {
        type: "websocket",
        room_id: room,
        recipients: ["user_123"],
        subject: "New Message",
        content: "You have a new message",
        email_fallback: true,
        meta: { notification_type: "message", action_url: `/rooms/${room}` },
      },
      {
        type: "webhook",
        recipients: ["https://api.external-service.com/webhooks/chatapi"],
        content: "New message event",
        meta: {
          event: "message_created",
          room_id: room,
          message_id: "550e8400-e29b-41d4-a716-446655440002",
          sender: "john.doe@example.com",
        },
      },
    ];
    const curl = async (...args: string[]) =>
      JSON.parse((await run("curl", ["-sS", "-H", `X-API-Key: ${KEY}`, ...args])).stdout) as { data: Sent; status: string };
    for (const body of documented) {
      const created = await curl(
        "-X",
        "POST",
        `${server.url}/api/v1/notifications/`,
        "-H",
        "Content-Type: application/json",
        "-d",
        JSON.stringify(body),
      );
      expect(created).toMatchObject({ status: "success", data: { ...body, client_id: "acme", status: "pending" } });
    }
    const analytics = await curl("-X", "GET", `${server.url}/api/v1/notifications/analytics?date_from=2024-01-01&date_to=2024-01-31`);
    expect(analytics).toMatchObject({ status: "success", data: { total_notifications: 0 } });
    await expect.poll(() => mail.mails.some(({ to }) => to[0] === "user@example.com"), PATIENCE).toBe(true);
  });

  test("every accepted notification, although the process is killed in the middle", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    for (let index = 0; index < 40; index += 1) {
      answers.set(`/killed?${index}`, async (count) => {
        if (count === 1 && index % 2 === 1) {
          await released;
        }
        return 200;
      });
    }
    const ids = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        send({ type: "webhook", recipients: [`${hooks.url}/killed?${index}`], content: `${index}` }),
      ),
    );
    await expect.poll(() => hooks.arrived.filter(({ path }) => path.startsWith("/killed")).length, PATIENCE).toBeGreaterThan(10);
    server.child.kill("SIGKILL");
    await server.exited;
    release();
    if (kind === "postgres") {
      // Leases run out after a minute; the test does not wait that long.
      await expireLeases(data.url);
    }
    server = await start();
    for (const id of ids) {
      expect((await settled(id)).status).toBe("delivered");
    }
    expect(new Set(hooks.arrived.filter(({ path }) => path.startsWith("/killed")).map(({ path }) => path)).size).toBe(40);
  });
});

/** How many deliveries are leased, according to the database. */
async function leases(url: string): Promise<number> {
  const query = "SELECT count(*) AS count FROM belfry_deliveries WHERE lease_owner IS NOT NULL";
  if (url.startsWith("sqlite:")) {
    const database = new Database(url.slice("sqlite:".length), { readonly: true });
    const { count } = database.prepare(query).get() as { count: number };
    database.close();
    return count;
  }
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ count: string }>(query);
  await client.end();
  return Number(rows[0]?.count);
}

async function expireLeases(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("UPDATE belfry_deliveries SET lease_until = now() WHERE lease_owner IS NOT NULL");
  await client.end();
}
