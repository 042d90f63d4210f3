import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = new URL("..", import.meta.url).pathname;
const biome = createRequire(import.meta.url).resolve("@biomejs/biome/bin/biome");

/** What a file may import, and what it may not: one list of each for every layer. */
const LAYERS: Readonly<Record<string, { readonly allowed: readonly string[]; readonly refused: readonly string[] }>> = {
  "packages/core/src/inbox/probe.ts": {
    allowed: ["./inbox-item.ts", "../foundation/errors.ts"],
    refused: ["../http/route.ts", "../contracts/pack.ts", "../node/index.ts", "node:fs", "node:fs/promises", "ws"],
  },
  "packages/core/src/http/probe.ts": {
    allowed: ["./route.ts", "./auth/authenticator.ts", "../inbox/inbox.ts", "../foundation/owner.ts"],
    refused: ["../contracts/pack.ts", "../service/storage.ts", "../node/index.ts", "../service/notification-service.ts", "node:http", "ws"],
  },
  "packages/core/src/contracts/probe.ts": {
    allowed: ["./iso-date.ts", "../http/route.ts", "../inbox/inbox.ts", "../foundation/owner.ts"],
    refused: ["../service/storage.ts", "../service/notification-service.ts", "../node/index.ts", "node:crypto"],
  },
  "packages/core/src/node/probe.ts": {
    allowed: ["../http/messages.ts", "../foundation/errors.ts", "node:http", "ws"],
    refused: ["../contracts/pack.ts", "../inbox/inbox.ts", "../service/storage.ts"],
  },
  "packages/storage-sqlite/src/probe.ts": {
    allowed: ["@belfry/core", "drizzle-orm", "node:fs"],
    refused: ["@belfry/core/http", "@belfry/storage-postgres", "@belfry/testkit"],
  },
  "packages/channel-email/src/probe.ts": {
    allowed: ["@belfry/core", "@belfry/egress", "nodemailer"],
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

/** Runs the linter over the probes and answers what it refused, as `file: import`. */
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

test.each(Object.entries(LAYERS))("%s may import what is below it and nothing else", (path, { refused }) => {
  const found = [...refusals].filter((refusal) => refusal.startsWith(`${path}: `));
  expect(found.sort()).toEqual(refused.map((source) => `${path}: ${source}`).sort());
});
