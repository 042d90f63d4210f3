import { defineConfig } from "vitest/config";

const conditions = ["@belfry/source", "module", "node", "development|production"];

// F15 is the fuzz of all routes by two tenants, which every test run has; the whole has more of it.
const isWhole = process.env.CHAOS_ALL === "1";

// The fault tests: `pnpm chaos` runs them. Each has processes and a database of its own, and most of the time it waits: for a
// lease to run out, say. So three run at once.
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name: "chaos",
    include: ["tools/system-tests/faults/**/*.test.ts", ...(isWhole ? ["packages/adapter-*/test/fuzz.test.ts"] : [])],
    globalSetup: ["tools/postgres-launcher/src/global-setup.ts", "tools/system-tests/faults/bundle-victim.ts"],
    maxWorkers: 3,
    testTimeout: isWhole ? 900_000 : 300_000,
    hookTimeout: 60_000,
  },
});
