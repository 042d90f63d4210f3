import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const biome = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome");

interface Layer {
  readonly allowed: readonly string[];
  readonly refused: readonly string[];
}

/** The rooms of core, in the order in which imports run. */
const ROOMS = [
  "foundation",
  "work",
  "notifications",
  "decisions",
  "inbox",
  "delivery",
  "hub",
  "realtime",
  "operator",
  "audiences",
  "privacy",
  "creating",
  "service",
  "http",
  "node",
  "contracts",
] as const;

/** The domains: others import them only through their faces, but import files of the other rooms directly. */
const DOMAINS: readonly string[] = [
  "notifications",
  "decisions",
  "inbox",
  "delivery",
  "hub",
  "realtime",
  "operator",
  "audiences",
  "privacy",
  "creating",
];

/** The imports from other rooms that a file of a room may have, and those it may not. */
function layerOf(room: (typeof ROOMS)[number], index: number): Layer {
  const face = (other: string) => (DOMAINS.includes(other) ? `../${other}/index.ts` : `../${other}/probe.ts`);
  const isServing = index >= ROOMS.indexOf("http");
  const before = ROOMS.slice(0, index).filter(
    (other) => !(isServing && other === "service") && !(room === "contracts" && other === "node"),
  );
  const after = ROOMS.filter((other) => other !== room && !before.includes(other));
  return {
    allowed: ["./probe.ts", ...before.map(face), ...(room === "node" ? ["node:fs", "ws"] : [])],
    refused: [
      ...after.map(face),
      ...before.filter((other) => DOMAINS.includes(other)).map((other) => `../${other}/probe.ts`),
      ...(room === "node" ? [] : ["node:fs", "node:fs/promises", "ws"]),
    ],
  };
}

/** The permitted and the refused imports of every layer. */
const LAYERS: Readonly<Record<string, Layer>> = {
  ...Object.fromEntries(ROOMS.map((room, index) => [`packages/core/src/${room}/probe.ts`, layerOf(room, index)])),
  "packages/core/src/contracts/inbox-v1/probe.ts": {
    allowed: ["../fastapi-failure.ts", "../../http/route.ts", "../../inbox/index.ts"],
    refused: ["../../inbox/inbox.ts", "../../service/storage.ts", "../../node/index.ts"],
  },
  "packages/core/src/http/auth/probe.ts": {
    allowed: ["../messages.ts", "../../foundation/errors.ts", "../../service/api-key-storage.ts"],
    refused: ["../../contracts/pack.ts", "../../service/notification-service.ts", "node:crypto"],
  },
  "packages/core/src/storage.ts": {
    allowed: ["./inbox/index.ts", "./service/storage.ts", "./foundation/errors.ts"],
    refused: ["./inbox/inbox.ts", "./http/route.ts", "./contracts/pack.ts", "./node/index.ts"],
  },
  "packages/core/src/public/probe.ts": {
    allowed: ["../inbox/index.ts", "../service/notification-service.ts", "../foundation/errors.ts"],
    refused: ["../inbox/inbox.ts", "../http/route.ts", "../contracts/pack.ts", "../node/index.ts"],
  },
  "packages/storage-sqlite/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/core/storage", "@belfry/storage-sql", "drizzle-orm", "node:fs"],
    refused: ["@belfry/core/http", "@belfry/storage-postgres", "@belfry/testkit"],
  },
  "packages/storage-sql/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/core/storage", "drizzle-orm"],
    refused: ["@belfry/core/http", "@belfry/storage-postgres", "@belfry/storage-sqlite", "@belfry/testkit"],
  },
  "packages/channel-email/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/egress", "@belfry/channel-http", "nodemailer"],
    refused: ["@belfry/core/http", "@belfry/channel-webhook", "@belfry/storage-sqlite"],
  },
  "packages/processor-openai/src/probe.ts": {
    allowed: ["@belfry/core", "ai", "@ai-sdk/openai-compatible"],
    refused: ["@belfry/core/http", "@belfry/egress", "@belfry/storage-sqlite"],
  },
  "packages/egress/src/probe.ts": { allowed: ["node:http"], refused: ["@belfry/core", "@belfry/channel-webhook"] },
  "packages/adapter-express/src/probe.ts": {
    allowed: ["@belfry/core/http", "@belfry/core/node", "express"],
    refused: ["@belfry/core", "@belfry/core/contracts", "@belfry/core/auth", "@belfry/adapter-hono", "@belfry/storage-sqlite"],
  },
  "packages/dashboard/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/core/http", "@belfry/core/node", "zod", "./wire.ts"],
    refused: [
      "@belfry/core/contracts",
      "@belfry/core/auth",
      "@belfry/adapter-express",
      "@belfry/storage-sqlite",
      "preact",
      "../page/main.tsx",
    ],
  },
  "packages/dashboard/page/probe.ts": {
    allowed: ["@belfry/core", "../src/wire.ts", "preact"],
    refused: ["../src/dashboard.ts", "@belfry/core/http", "node:fs"],
  },
  "packages/testkit/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/core/contracts", "vitest"],
    refused: ["@belfry/storage-sqlite", "@belfry/adapter-express"],
  },
};

let directory: string;
let refusals: ReadonlySet<string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "belfry-boundaries-"));
  await cp(join(root, "biome.jsonc"), join(directory, "biome.jsonc"));
  for (const [path, { allowed, refused }] of Object.entries(LAYERS)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, [...allowed, ...refused].map((source) => `import "${source}";\n`).join(""));
  }
  refusals = await lint();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** Runs the linter over the probes and returns the refused imports, as `file: import`. */
async function lint(): Promise<ReadonlySet<string>> {
  const options = ["lint", "--only=style/noRestrictedImports", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none", "."];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [biome, ...options], { cwd: directory }, (_, stdout) => resolve(stdout));
  });
  const found = [...output.matchAll(/file=[^,]*?\/(packages\/[^,]+),line=(\d+)/g)].map(([, path = "", line]) => {
    const { allowed, refused } = LAYERS[path] ?? { allowed: [], refused: [] };
    return `${path}: ${[...allowed, ...refused][Number(line) - 1]}`;
  });
  return new Set(found);
}

test("every folder of core is one of the rooms", async () => {
  const entries = await readdir(join(root, "packages/core/src"), { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  expect(folders.sort()).toEqual([...ROOMS, "public"].sort());
});

test.each(Object.entries(LAYERS))("%s may import only what is below it", (path, { refused }) => {
  const found = [...refusals].filter((refusal) => refusal.startsWith(`${path}: `));
  expect(found.sort()).toEqual(refused.map((source) => `${path}: ${source}`).sort());
});
