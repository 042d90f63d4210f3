import { defineConfig } from "vitest/config";

const conditions = ["@belfry/source", "module", "node", "development|production"];

// Tests the dashboard in a real browser. It is slower than the other tests and needs Chromium, so it is a run of its own.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "e2e",
    include: ["packages/dashboard/e2e/**/*.test.ts"],
    globalSetup: ["test/temporary-files.ts", "packages/dashboard/test/assets-setup.ts"],
    setupFiles: ["test/patience.ts"],
    expect: { poll: { timeout: 15_000 } },
    maxWorkers: 3,
    // Belfry, playwright and axe are loaded once for several files.
    isolate: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
