import {
  busyProvider,
  codeOf,
  credentialSource,
  goneRecipient,
  memberOf,
  refusedCredentials,
  refusedMessage,
  requireText,
  statusVerdict,
  unreadableAnswer,
} from "@belfry/channel-http";
import { type Channel, requireOptions } from "@belfry/core";
import type { Credential, ReadAnswer, Verdict } from "@belfry/egress";
import { FORM_TYPE, SENDER, type SmsOptions, smsChannel, smsOptionsOf } from "./sms-channel.ts";

const PROVIDER = "Vonage";

/** The options of {@link vonage}. */
export interface VonageOptions extends SmsOptions {
  readonly apiKey: string;
  readonly apiSecret: Credential;
  /** The number or name that sends. */
  readonly from: string;
}

/**
 * Makes the channel that sends text messages over Vonage's SMS API.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const sms = vonage({ apiKey: "abcd1234", apiSecret: "…", from: "TheShop" });
 * ```
 */
export function vonage(options: VonageOptions): Channel {
  requireOptions("vonage", options, smsOptionsOf({ apiKey: true, apiSecret: true, from: true }));
  const apiKey = requireText("vonage: apiKey", options.apiKey, { form: /^\w{1,64}$/, remedy: "the key that Vonage's dashboard shows" });
  const from = requireText("vonage: from", options.from, SENDER);
  const apiSecret = credentialSource("vonage: apiSecret", options.apiSecret);
  return smsChannel(
    {
      ...{ name: "vonage", api: "https://rest.nexmo.com", judge },
      async request({ to, text, encoding }, { id, tenant }, { api }) {
        const secret = await apiSecret(tenant);
        const number = { from: from.replace("+", ""), to: to.slice(1) };
        const fields = { api_key: apiKey, api_secret: secret, ...number, text, "client-ref": id };
        return {
          url: `${api}/sms/json`,
          headers: { "Content-Type": FORM_TYPE },
          body: new URLSearchParams({ ...fields, type: encoding === "gsm7" ? "text" : "unicode" }).toString(),
          secrets: [secret],
        };
      },
    },
    options,
  );
}

const CREDENTIALS: ReadonlySet<string> = new Set(["4", "14", "32"]);
/** Limits, troubles of Vonage's own, and an account without credit. */
const BUSY: ReadonlySet<string> = new Set(["1", "5", "8", "9", "10", "11", "12"]);
/** A number that is barred. */
const GONE: ReadonlySet<string> = new Set(["7"]);

/** Vonage answers 200 also to what it refuses, with a status for each part. The first that was refused counts. */
function judge(answer: ReadAnswer): Verdict | null {
  const parts = memberOf(answer.json, "messages");
  if (!Array.isArray(parts) || parts.length === 0) {
    return answer.status < 300 ? unreadableAnswer(PROVIDER) : statusVerdict(PROVIDER, answer);
  }
  const status = parts.map((part: unknown) => codeOf(memberOf(part, "status"))).find((one) => one !== "0");
  if (status === undefined) {
    return { accepted: true };
  }
  if (CREDENTIALS.has(status)) {
    return refusedCredentials(PROVIDER, status);
  }
  if (GONE.has(status)) {
    return goneRecipient(PROVIDER, status);
  }
  return BUSY.has(status) ? busyProvider(PROVIDER, status) : refusedMessage(PROVIDER, status);
}
