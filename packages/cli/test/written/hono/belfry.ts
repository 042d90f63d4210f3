import type { EventEmitter } from "node:events";
import { honoBelfry } from "@belfry/adapter-hono";
import { native } from "@belfry/core/contracts";
import { notifications } from "./notifications.ts";

/**
 * Users are who the JWT of a request says, which your sign-in makes: its `sub`, signed with JWT_SECRET of at least 32 characters.
 * If a cookie of yours says it, give a function for `auth` instead: see "A function of your own" in docs/guides/authentication.md.
 */
export const handler = { contracts: [native()], auth: { jwt: { secret: process.env.JWT_SECRET ?? "" } } };

/** Answers below /api/belfry/v1: `app.route("/", belfry)`. */
export const belfry = honoBelfry(notifications, handler);

/** Begins the work in the background, and serves WebSockets. Call it with your server, once it is made. */
export async function startBelfry(server: EventEmitter): Promise<void> {
  server.on("upgrade", belfry.upgrade);
  await notifications.start();
}

/** Ends open streams, and what is under way. Call it before the process ends. */
export async function stopBelfry(): Promise<void> {
  belfry.close();
  await notifications.stop();
}
