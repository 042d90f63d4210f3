import { createHandler } from "@belfry/core/http";
import { handler } from "./belfry-options.ts";
import { notifications } from "./notifications.ts";

const makeBelfry = () => createHandler(notifications, handler);

const kept: typeof globalThis & { belfryHandler?: ReturnType<typeof makeBelfry> } = globalThis;
kept.belfryHandler ??= makeBelfry();

/** Answers below /api/belfry/v1. It is kept as the service is, so that instrumentation.ts ends the streams of the route's. */
export const belfry = kept.belfryHandler;
