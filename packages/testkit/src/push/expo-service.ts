import { randomUUID } from "node:crypto";
import { jsonOf, type PushAnswer, type PushService, type ReceivedPush, runService, type ServiceRequest } from "./push-service.ts";

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
    read({ method, path, headers, body }: ServiceRequest): ReceivedPush | PushAnswer {
      const message = jsonOf(body) as { readonly to?: unknown } | null;
      if (method !== "POST" || path !== "/--/api/v2/push/send") {
        return { status: 404 };
      }
      return typeof message?.to === "string" ? { device: message.to, headers, message } : { status: 400 };
    },
    taken: () => ({ status: 200, body: { data: { status: "ok", id: randomUUID() } } }),
    gone: { status: 200, body: { data: { status: "error", message: "It is not registered.", details: { error: "DeviceNotRegistered" } } } },
  });
}
