import { defineConfig } from "vitest/config";

const conditions = ["@belfry/source", "module", "node", "development|production"];

// Tests the dashboard, the client, the inbox and the demo in a real browser. They are slower than the other tests and need Chromium, so they are a run of their own.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "e2e",
    include: ["packages/{client,dashboard,element,react}/e2e/**/*.test.ts", "examples/*/e2e/**/*.test.ts"],
    globalSetup: ["test/one-run.ts", "test/temporary-files.ts", "packages/dashboard/test/assets-setup.ts"],
    setupFiles: ["test/patience.ts"],
    expect: { poll: { timeout: 15_000 } },
    maxWorkers: 3,
    // Belfry, playwright and axe are loaded once for several files.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
