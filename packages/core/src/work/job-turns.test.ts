import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../foundation/clock.ts";
import { JobTurns } from "./job-turns.ts";

const logger = { debug() {}, info() {}, warn() {}, error() {} };

test("a job is passed soon where the database cannot be reached", async () => {
  let claims = 0;
  const tasks = {
    due: async () => [],
    claim: async () => {
      claims += 1;
      throw new Error("The database is away.");
    },
    nameOf: () => ({ id: "", fence: 0 }),
  };
  const worker = { room: 1, begin: async () => null };
  const turns = new JobTurns<never>(worker, tasks, { name: "tasks", clock: systemClock, logger, mayClaim: () => true });
  expect(await turns.run({ id: randomUUID(), attempt: 1 })).toBe("passed");
  expect(claims).toBeGreaterThan(0);
  await turns.stop();
});
