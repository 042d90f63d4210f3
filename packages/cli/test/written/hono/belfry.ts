import type { EventEmitter } from "node:events";
import { honoBelfry } from "@belfry/adapter-hono";
import { handler } from "./belfry-options.ts";
import { notifications } from "./notifications.ts";

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
