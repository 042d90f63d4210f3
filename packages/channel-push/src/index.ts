export type { ApnsOptions } from "./apns-options.ts";
export { push } from "./push.ts";
export type { ExpoOptions, FcmOptions, PushKeys, PushOptions, ServiceAccount, VapidKeys, WebPushOptions } from "./push-options.ts";
