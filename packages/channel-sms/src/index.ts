export type { Credential, HttpChannelOptions } from "@belfry/egress";
export type { AwsCredentials } from "./sign-aws.ts";
export type { SmsOptions } from "./sms-channel.ts";
export { type SmsSegments, smsSegments } from "./sms-segments.ts";
export { type SnsOptions, sns } from "./sns.ts";
export { type TwilioOptions, twilio } from "./twilio.ts";
export { type VonageOptions, vonage } from "./vonage.ts";
