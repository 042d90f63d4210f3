export { type HonoBelfry, type HonoBelfryOptions, honoBelfry } from "./hono-belfry.ts";
