import { vi } from "vitest";

/** How long a condition may take to come true, in milliseconds. vitest gives it a second, which a busy machine can need for a page. */
const PATIENCE_MS = 15_000;

const waitFor = vi.waitFor;

vi.waitFor = (condition, options) => waitFor(condition, typeof options === "number" ? options : { timeout: PATIENCE_MS, ...options });
