import { randomUUID } from "node:crypto";
import { jsonOf, type LocalRequest } from "../host/providers/local-server.ts";
import { RETRY_AFTER } from "../host/providers/protocol.ts";
import { type PushAnswer, type PushService, type ReceivedPush, runService } from "./push-service.ts";

/**
 * Runs a service on this machine that speaks the protocol of Expo's push service.
 *
 * @example
 * ```ts
 * const { url } = await expoService();
 * const channel = push({ expo: { url }, allowPrivate: true });
 * ```
 */
export function expoService(): Promise<PushService> {
  return runService({
    read({ method, path, headers, body }: LocalRequest): ReceivedPush | PushAnswer {
      const message = jsonOf(body) as { readonly to?: unknown } | null;
      if (method !== "POST" || path !== "/--/api/v2/push/send") {
        return { status: 404 };
      }
      return typeof message?.to === "string" ? { device: message.to, headers, message } : { status: 400 };
    },
    taken: () => ({ status: 200, body: { data: { status: "ok", id: randomUUID() } } }),
    replies: {
      limited: { status: 429, headers: RETRY_AFTER, body: { errors: [{ code: "TOO_MANY_REQUESTS", message: "Too many requests." }] } },
      unauthorized: { status: 401, body: { errors: [{ code: "UNAUTHORIZED", message: "The access token is not valid." }] } },
      refused: ticket("MessageTooBig"),
      gone: ticket("DeviceNotRegistered"),
    },
  });
}

function ticket(error: string): PushAnswer {
  return { status: 200, body: { data: { status: "error", message: error, details: { error } } } };
}
