export type { LocalAnswer, LocalServer } from "../host/providers/local-server.ts";
export type { ProviderBehaviour } from "../host/providers/protocol.ts";
export { type ApnsService, apnsService } from "./apns-service.ts";
export { expoService } from "./expo-service.ts";
export { type FcmService, fcmService } from "./fcm-service.ts";
export type { AnswerPush, PushAnswer, PushService, ReceivedPush } from "./push-service.ts";
export { type BrowserSubscription, type WebPushService, webPushService } from "./web-push-service.ts";
