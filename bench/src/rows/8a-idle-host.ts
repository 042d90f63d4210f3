import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type Figures, type Row, Skipped } from "../harness/row.ts";
import { SqliteSetting } from "../settings/sqlite.ts";

const ROUNDS = 5;
const HOST = fileURLToPath(new URL("../load/idle-host.ts", import.meta.url));
/** Hosts run what is published, not the sources. */
const BUILT = ["core", "storage-sqlite", "adapter-express"].map(
  (name) => new URL(`../../../packages/${name}/dist/index.js`, import.meta.url),
);

interface Started {
  readonly readyMs: number;
  readonly rssMb: number;
}

async function start(args: readonly string[]): Promise<Started> {
  const { stdout } = await promisify(execFile)(process.execPath, [HOST, ...args]);
  return JSON.parse(stdout) as Started;
}

async function figures(): Promise<Figures> {
  if (!BUILT.every((url) => existsSync(url))) {
    throw new Skipped("it starts what is published: run pnpm build first");
  }
  const setting = await SqliteSetting.open();
  const file = setting.path("belfry.db");
  // The first start creates the tables; later ones find them.
  await start([file]);
  const samples = { "RSS above the plain host, MB": [] as number[], "ready later, ms": [] as number[], "RSS in all, MB": [] as number[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const plain = await start([]);
    const withBelfry = await start([file]);
    samples["RSS above the plain host, MB"].push(withBelfry.rssMb - plain.rssMb);
    samples["ready later, ms"].push(withBelfry.readyMs - plain.readyMs);
    samples["RSS in all, MB"].push(withBelfry.rssMb);
  }
  await setting.close();
  return { samples, knobs: "SQLite, inbox-v1 on Express; each start is a process of its own" };
}

export const row: Row = {
  id: "8a",
  what: "An idle Express host with Belfry, above the same host without",
  cases: [
    {
      name: "SQLite",
      goals: [
        { figure: "RSS above the plain host, MB", unit: "MB", atMost: 40 },
        { figure: "ready later, ms", unit: "ms", atMost: 300 },
      ],
      figures,
    },
  ],
};
