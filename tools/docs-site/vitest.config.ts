import { defineConfig } from "vitest/config";

// Looks at the built site in a real browser: `pnpm run docs` comes first.
export default defineConfig({
  test: { include: ["e2e/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
