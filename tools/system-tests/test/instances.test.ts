import type { Pool } from "pg";
import { describe, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../../examples/server/test/run-server.ts";
import { type CreateJob, HttpCreates } from "./http-creates.ts";
import { InboxFollower, JWT_SECRET } from "./inbox-follower.ts";
import { wrongCounts } from "./recount.ts";
import { testDatabase } from "./test-database.ts";
import { useCleanup } from "./use-cleanup.ts";

const SERVERS = 3;
const SOCKETS = 50;
const USERS = 20;
const CREATES = process.env.BELFRY_CHAOS ? 100_000 : 10_000;
const KILLS = process.env.BELFRY_CHAOS ? 20 : 1;
const IN_FLIGHT = 16;
const TIMEOUT_MS = process.env.BELFRY_CHAOS ? 900_000 : 120_000;

const user = (number: number) => `user ${number % USERS}`;

/** The messages of every user's inbox, in the order of their numbers. */
async function inboxes(pool: Pool): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await pool.query<{ user_id: string; messages: string[] }>(
    `SELECT i.user_id, array_agg(n.message ORDER BY i.seq) AS messages
    FROM belfry_inbox_items i JOIN belfry_notifications n ON n.pk = i.notification_pk GROUP BY i.user_id`,
  );
  return new Map(rows.map(({ user_id, messages }) => [user_id, messages]));
}

describe("three server processes on one database", () => {
  const cleanup = useCleanup();

  async function startAll() {
    const { url, pool } = await testDatabase(cleanup);
    const start = () => startServer({ DATABASE_URL: url, JWT_SECRET });
    const servers = await Promise.all(Array.from({ length: SERVERS }, start));
    cleanup(() => Promise.all(servers.map((server) => (server.child.signalCode === null ? server.stop() : null))));
    const creates = new HttpCreates(() => servers.map((server) => server.url));
    // A user's sockets are at different servers.
    const followers = Array.from({ length: SOCKETS }, (_, socket) => ({ at: socket % SERVERS, follower: new InboxFollower(user(socket)) }));
    cleanup(() => followers.map(({ follower }) => follower.close()));
    await Promise.all(followers.map(({ at, follower }) => follower.connect(servers[at]?.url ?? "")));
    return { pool, start, servers, creates, followers };
  }

  const jobs = Array.from({ length: CREATES }, (_, number): CreateJob => ({ userId: user(number), content: `number ${number}` }));
  const lastJobs = Array.from({ length: USERS }, (_, number): CreateJob => ({ userId: user(number), content: `last of ${user(number)}` }));

  /** Has all sockets get a last frame, and compares what each of them got with its inbox. */
  async function expectEverythingOnce(pool: Pool, creates: HttpCreates, followers: readonly InboxFollower[]): Promise<void> {
    await creates.run(lastJobs, 1);
    await Promise.all(
      followers.map((follower) => follower.until(() => follower.created.at(-1)?.payload.message === `last of ${follower.userId}`)),
    );
    const inbox = await inboxes(pool);
    for (const { userId, created, recovered } of followers) {
      const messages = inbox.get(userId) ?? [];
      expect(created.map(({ payload }) => payload.message)).toEqual(messages);
      expect(created.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1));
      expect(recovered).not.toContain(false);
    }
    expect(await wrongCounts(pool)).toEqual([]);
  }

  test(`${SOCKETS} sockets get each of their events once, in order, while all processes create`, { timeout: TIMEOUT_MS }, async () => {
    const { pool, creates, followers } = await startAll();
    await creates.run(jobs, IN_FLIGHT);
    await expectEverythingOnce(
      pool,
      creates,
      followers.map(({ follower }) => follower),
    );
    expect([...creates.answers.keys()]).toEqual([200]);
    expect([...(await inboxes(pool)).values()].flat().length).toBe(CREATES + USERS);
    expect(followers.filter(({ follower }) => follower.losses > 0)).toEqual([]);
  });

  test("a process that is killed in the middle costs nobody an event: its clients resume at others", { timeout: TIMEOUT_MS }, async () => {
    const { pool, start, servers, creates, followers } = await startAll();
    const load = creates.run(jobs, IN_FLIGHT);

    /** Kills one of the servers, whose clients go to the next one, and replaces it. */
    const kill = async (index: number) => {
      const victim = servers[index] as ServerProcess;
      const left = followers.filter(({ at }) => at === index);
      const next = (index + 1) % SERVERS;
      victim.child.kill("SIGKILL");
      await Promise.all(
        left.map(async (socket) => {
          await socket.follower.lost();
          await socket.follower.connect(servers[next]?.url ?? "");
          socket.at = next;
        }),
      );
      await victim.exited;
      servers[index] = await start();
      return left;
    };

    for (let killed = 1; killed <= KILLS; killed += 1) {
      const enough = (CREATES * killed) / (KILLS + 2);
      await expect.poll(() => creates.acknowledged.size, { timeout: TIMEOUT_MS }).toBeGreaterThan(enough);
      const left = await kill(killed % SERVERS);
      expect(left.length).toBeGreaterThan(0);
    }
    await load;
    await expectEverythingOnce(
      pool,
      creates,
      followers.map(({ follower }) => follower),
    );

    // What was acknowledged is there; what is there was asked for, and is there twice only if it was asked for twice.
    const written = [...(await inboxes(pool)).values()].flat();
    expect(creates.acknowledged.size).toBe(CREATES + USERS);
    expect(new Set(written)).toEqual(creates.acknowledged);
    const times = new Map<string, number>();
    for (const content of written) {
      times.set(content, (times.get(content) ?? 0) + 1);
    }
    expect([...times].filter(([content, count]) => count > (creates.attempts.get(content) ?? 0))).toEqual([]);
    if (KILLS === 1) {
      const lost = followers.filter(({ follower }) => follower.losses > 0);
      expect(lost.length).toBe(followers.filter((_, socket) => socket % SERVERS === 1).length);
      expect(lost.every(({ follower }) => follower.recovered.length === 2)).toBe(true);
    }
  });
});
