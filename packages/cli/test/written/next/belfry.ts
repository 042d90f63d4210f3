import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { notifications } from "./notifications.ts";

/**
 * Users are who the JWT of a request says, which your sign-in makes: its `sub`, signed with JWT_SECRET of at least 32 characters.
 * If a cookie of yours says it, give a function for `auth` instead: see "A function of your own" in docs/guides/authentication.md.
 */
export const handler = { contracts: [native()], sockets: false, auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };

const makeBelfry = () => createHandler(notifications, handler);

const kept: typeof globalThis & { belfryHandler?: ReturnType<typeof makeBelfry> } = globalThis;
kept.belfryHandler ??= makeBelfry();

/** Answers below /api/belfry/v1. It is kept as the service is, so that instrumentation.ts ends the streams of the route's. */
export const belfry = kept.belfryHandler;
