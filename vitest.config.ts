import { globSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { configDefaults, defineConfig } from "vitest/config";
import { SlowFilesFirst } from "./test/slow-files-first.ts";

// Tests use the packages' sources, so no build is needed first.
const conditions = ["@belfry/source", "module", "node", "development|production"];

/** Files that need a process of their own: they replace globals, measure memory, or take long. */
const ALONE = [
  "packages/adapter-express/test/{fuzz,postgres}.test.ts",
  "packages/adapter-hono/test/{fuzz,lowest-sqlite,sizes,sqlite}.test.ts",
  "packages/core/src/node/without-sockets.test.ts",
  "packages/core/src/service/check-runtime.test.ts",
  "packages/dashboard/test/{fuzz,live}.test.ts",
  "packages/processor-openai/test/outcomes.test.ts",
  "packages/storage-*/test/{models,storage}.test.ts",
  "tools/service-tests/test/http/fetch.test.ts",
  "tools/service-tests/test/service/{outages,random-walk}.test.ts",
];

/** Whether a file replaces modules, which those that share its process may have loaded before. */
function replacesModules(file: string): boolean {
  return readFileSync(join(import.meta.dirname, file), "utf8").includes("vi.mock(");
}

/** Files that share processes: Belfry's modules and their dependencies are loaded once for many of them. */
const TOGETHER = globSync(
  [
    "packages/core/src/**/*.test.ts",
    "packages/{adapter-*,channel-*,cli,dashboard,egress,processor-*,storage-*,testkit}/test/**/*.test.ts",
    "tools/{docs-examples,docs-site,service-tests}/test/**/*.test.ts",
    "examples/server/test/**/*.test.ts",
    "test/**/*.test.ts",
  ],
  { cwd: import.meta.dirname, exclude: ALONE },
).filter((file) => !replacesModules(file));

const waiting = { expect: { poll: { timeout: 15_000 } }, testTimeout: 60_000, hookTimeout: 60_000 };

const settings = {
  // Numbers the run, puts temporary files into memory, starts a real PostgreSQL when the first test asks for a database, and bundles the dashboard's page.
  globalSetup: [
    "test/one-run.ts",
    "test/temporary-files.ts",
    "tools/postgres-launcher/src/global-setup.ts",
    "packages/dashboard/test/assets-setup.ts",
  ],
  // Programs that tests start from the sources are compiled once.
  env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node") },
  setupFiles: ["test/patience.ts"],
  ...waiting,
};

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Many tests wait for processes and databases: two cores have work for four of them.
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: SlowFilesFirst },
    projects: [
      {
        extends: true,
        test: {
          ...settings,
          name: "tests",
          include: ["packages/*/{src,test}/**/*.test.ts", "tools/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, ...TOGETHER, "packages/react/**"],
        },
      },
      {
        extends: true,
        test: { ...settings, name: "together", isolate: false, include: TOGETHER },
      },
      {
        extends: true,
        test: { ...waiting, setupFiles: settings.setupFiles, name: "react", include: ["packages/react/test/**/*.test.{ts,tsx}"] },
      },
      {
        extends: true,
        // The same tests with the oldest React that hosts may have.
        resolve: {
          alias: [
            {
              find: /^(react|react-dom|@testing-library\/react)(\/.*)?$/,
              replacement: join(import.meta.dirname, "tools/react-18/node_modules/$1$2"),
            },
          ],
        },
        test: {
          ...waiting,
          setupFiles: settings.setupFiles,
          name: "react 18",
          include: ["packages/react/test/**/*.test.tsx"],
        },
      },
    ],
  },
});
