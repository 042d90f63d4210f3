import { describe, expect, test } from "vitest";
import { type ServerProcess, startServer } from "../../../examples/server/test/run-server.ts";
import { type CreateJob, HttpCreates, postToPack } from "./http-creates.ts";
import { InboxFollower, JWT_SECRET } from "./inbox-follower.ts";
import { testDatabase } from "./test-database.ts";
import { expectLedger, expectToldOnce, inboxMessages } from "./told-once.ts";
import { useCleanup } from "./use-cleanup.ts";

const SERVERS = 3;
const SOCKETS = 50;
const USERS = 20;
const CREATES = process.env.BELFRY_LONG ? 100_000 : 400;
const KILLS = process.env.BELFRY_LONG ? 20 : 1;
const IN_FLIGHT = 16;
const TIMEOUT_MS = process.env.BELFRY_LONG ? 900_000 : 120_000;

const user = (number: number) => `user ${number % USERS}`;

describe("three server processes on one database", () => {
  const cleanup = useCleanup();

  async function startAll() {
    const { url, pool } = await testDatabase(cleanup);
    const start = () => startServer({ DATABASE_URL: url, JWT_SECRET });
    const servers = await Promise.all(Array.from({ length: SERVERS }, start));
    cleanup(() => Promise.all(servers.map((server) => (server.child.signalCode === null ? server.stop() : null))));
    const creates = new HttpCreates(() => servers.map((server) => server.url), postToPack);
    // The sockets of a user are at different servers.
    const followers = Array.from({ length: SOCKETS }, (_, socket) => ({ at: socket % SERVERS, follower: new InboxFollower(user(socket)) }));
    cleanup(() => followers.map(({ follower }) => follower.close()));
    await Promise.all(followers.map(({ at, follower }) => follower.connect(servers[at]?.url ?? "")));
    return { pool, start, servers, creates, followers };
  }

  const jobs = Array.from({ length: CREATES }, (_, number): CreateJob => ({ userId: user(number), content: `number ${number}` }));

  test(`${SOCKETS} sockets get each of their events once, in order, while all processes create`, { timeout: TIMEOUT_MS }, async () => {
    const { pool, creates, followers } = await startAll();
    await creates.run(jobs.values(), IN_FLIGHT);
    await expectToldOnce(
      pool,
      creates,
      followers.map(({ follower }) => follower),
    );
    expect([...creates.answers.keys()]).toEqual([200]);
    expect([...(await inboxMessages(pool)).values()].flat().length).toBe(CREATES + USERS);
    expect(followers.filter(({ follower }) => follower.losses > 0)).toEqual([]);
  });

  test("when a process is killed in the middle, its clients resume at others and miss no event", { timeout: TIMEOUT_MS }, async () => {
    const { pool, start, servers, creates, followers } = await startAll();
    const load = creates.run(jobs.values(), IN_FLIGHT);

    /** Kills one of the servers and replaces it; its clients go to the next one. */
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
    await expectToldOnce(
      pool,
      creates,
      followers.map(({ follower }) => follower),
    );

    expect(creates.acknowledged.size).toBe(CREATES + USERS);
    await expectLedger(pool, creates);
    if (KILLS === 1) {
      const lost = followers.filter(({ follower }) => follower.losses > 0);
      expect(lost.length).toBe(followers.filter((_, socket) => socket % SERVERS === 1).length);
      expect(lost.every(({ follower }) => follower.recovered.length === 2)).toBe(true);
    }
  });
});
