import { httpChannel, optionsOf, type Provider, type ProviderPlace, type ProviderRequest } from "@belfry/channel-http";
import { BelfryError, type Channel, type DeliveryTask } from "@belfry/core";
import type { HttpChannelOptions } from "@belfry/egress";
import { cutToSegments, smsSegments } from "./sms-segments.ts";

/** The options of every channel of text messages. */
export interface SmsOptions extends HttpChannelOptions {
  /** The most parts of one message, 1 to 10: longer texts are cut, with a note. Each part is charged. @default 4 */
  readonly maxSegments?: number;
}

const DEFAULT_MAX_SEGMENTS = 4;
const MOST_SEGMENTS = 10;
/** A number in the international format. */
const ADDRESS = /^\+[1-9]\d{6,14}$/;

/** A text message, ready to be handed in. */
export interface SmsMessage {
  /** With its `+`. */
  readonly to: string;
  readonly text: string;
  readonly encoding: "gsm7" | "ucs2";
}

/** One provider of text messages. */
export interface SmsProvider extends Pick<Provider, "name" | "api" | "judge"> {
  request(message: SmsMessage, task: DeliveryTask, place: ProviderPlace): ProviderRequest | Promise<ProviderRequest>;
}

/** Names the options of a channel: those of all, and its own. */
export function smsOptionsOf(own: Readonly<Record<string, true>>): Readonly<Record<string, true>> {
  return optionsOf({ ...own, maxSegments: true });
}

/** Makes the channel of a provider; it is called `sms` unless the options say otherwise. */
export function smsChannel(provider: SmsProvider, options: SmsOptions): Channel {
  const { maxSegments = DEFAULT_MAX_SEGMENTS } = options;
  if (!(Number.isInteger(maxSegments) && maxSegments >= 1 && maxSegments <= MOST_SEGMENTS)) {
    throw new BelfryError("CONFIGURATION", `${provider.name}: maxSegments is no whole number from 1 to ${MOST_SEGMENTS}.`);
  }
  return httpChannel(
    {
      ...{ name: provider.name, api: provider.api, judge: provider.judge, contents: ["text"] },
      takes: "phone numbers with their country code, such as +4930123456",
      invalidRecipient: (recipient) => (ADDRESS.test(recipient) ? null : "is no phone number with its country code"),
      async request(task, place) {
        const whole = textOf(task, place);
        if (whole === "") {
          return { problem: "the notification has neither a title nor a message" };
        }
        const text = cutToSegments(whole, maxSegments);
        const { encoding } = smsSegments(text);
        const request = await provider.request({ to: task.address, text, encoding }, task, place);
        return text === whole
          ? request
          : { ...request, note: `the text was cut to ${maxSegments === 1 ? "one segment" : `${maxSegments} segments`}` };
      },
    },
    { name: "sms", ...options },
  );
}

/** The text of the type over this channel, else the title, the message and the link, a line each. */
function textOf({ title, message, url, contents }: DeliveryTask, place: ProviderPlace): string {
  const link = url === null ? null : place.link(url);
  return contents?.text ?? [title, message, link ?? ""].filter((line) => line !== "").join("\n");
}

/** The media type of the forms that providers of text messages take. */
export const FORM_TYPE = "application/x-www-form-urlencoded; charset=utf-8";

/** Who sends, as a recipient sees it: a number, or a name of up to 11 letters and digits. */
export const SENDER = {
  form: /^(?:\+?[1-9]\d{2,14}|[A-Za-z0-9 ]{1,11})$/,
  remedy: "a phone number, or a name of up to 11 letters and digits",
};
