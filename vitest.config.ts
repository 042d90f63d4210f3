import { availableParallelism } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { SlowFilesFirst } from "./test/slow-files-first.ts";

// Tests use the packages' sources, so no build is needed first.
const conditions = ["@belfry/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    // Many tests wait for processes and databases, so a core can serve more than one of them.
    maxWorkers: Math.max(3, availableParallelism()),
    sequence: { sequencer: SlowFilesFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "tests",
          include: ["packages/*/{src,test}/**/*.test.ts", "tools/*/test/**/*.test.ts", "examples/*/test/**/*.test.ts", "test/**/*.test.ts"],
          // Starts a real PostgreSQL when the first test asks for a database; bundles the dashboard's page.
          globalSetup: ["tools/postgres-launcher/src/global-setup.ts", "packages/dashboard/test/assets-setup.ts"],
          // Programs that tests start from the sources are compiled once.
          env: { NODE_COMPILE_CACHE: join(import.meta.dirname, "node_modules/.cache/node") },
          setupFiles: ["test/patience.ts"],
          expect: { poll: { timeout: 15_000 } },
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "types",
          include: [],
          typecheck: { enabled: true, only: true, include: ["packages/*/src/**/*.test-d.ts"], tsconfig: "./tsconfig.tests.json" },
        },
      },
    ],
  },
});
