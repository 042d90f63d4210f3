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
import { requireStatusUrl, statusUrlOf } from "./twilio-status.ts";

const PROVIDER = "Twilio";
const OWN = { accountSid: true, authToken: true, apiKeySid: true, from: true, statusUrl: true } as const;
const SERVICE = /^MG[0-9a-f]{32}$/;

/** The options of {@link twilio}. */
export interface TwilioOptions extends SmsOptions {
  /** The account, `AC…`. */
  readonly accountSid: string;
  /** The account's token, or the secret of `apiKeySid`. */
  readonly authToken: Credential;
  /** An API key, `SK…`, whose secret is the `authToken`. @default the account itself */
  readonly apiKeySid?: string;
  /** The number or name that sends, or a messaging service, `MG…`. */
  readonly from: string;
  /**
   * The address of your application that Twilio reports to what became of a message, with the delivery's id in its query: `twilioStatus` reads
   * it. @default nothing is reported
   */
  readonly statusUrl?: string;
}

/**
 * Makes the channel that sends text messages over Twilio.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const sms = twilio({ accountSid: "AC…", authToken: "…", from: "+15005550006" });
 * ```
 */
export function twilio(options: TwilioOptions): Channel {
  requireOptions("twilio", options, smsOptionsOf(OWN));
  const sid = { form: /^(?:AC|SK)[0-9a-f]{32}$/, remedy: "the 34 characters that Twilio's console shows" };
  const accountSid = requireText("twilio: accountSid", options.accountSid, sid);
  const user = requireText("twilio: apiKeySid", options.apiKeySid ?? accountSid, sid);
  const from = requireText("twilio: from", options.from, { ...SENDER, form: new RegExp(`${SERVICE.source}|${SENDER.form.source}`) });
  const authToken = credentialSource("twilio: authToken", options.authToken);
  const statusUrl = options.statusUrl === undefined ? null : requireStatusUrl("twilio: statusUrl", options.statusUrl);
  return smsChannel(
    {
      ...{ name: "twilio", api: "https://api.twilio.com", judge },
      async request({ to, text }, { id, tenant }, { api }) {
        const secret = await authToken(tenant);
        const reported = statusUrl === null ? {} : { StatusCallback: statusUrlOf(statusUrl, id) };
        const sender = { [SERVICE.test(from) ? "MessagingServiceSid" : "From"]: from };
        const basic = Buffer.from(`${user}:${secret}`).toString("base64");
        return {
          url: `${api}/2010-04-01/Accounts/${accountSid}/Messages.json`,
          headers: { "Content-Type": FORM_TYPE, Authorization: `Basic ${basic}` },
          body: new URLSearchParams({ To: to, Body: text, ...sender, ...reported }).toString(),
          secrets: [secret, basic],
        };
      },
    },
    options,
  );
}

/** The number cannot get text messages, or its owner answered STOP. */
const GONE: ReadonlySet<unknown> = new Set([21_610, 21_614, 30_005, 30_006]);
const CREDENTIALS: ReadonlySet<unknown> = new Set([20_003, 20_005, 20_006, 20_008]);
const BUSY: ReadonlySet<unknown> = new Set([20_429, 21_611, 30_001, 30_022, 63_038]);

function judge(answer: ReadAnswer): Verdict | null {
  const { status, json } = answer;
  if (status >= 200 && status < 300) {
    return typeof memberOf(json, "sid") === "string" ? { accepted: true } : unreadableAnswer(PROVIDER);
  }
  const code = memberOf(json, "code");
  if (GONE.has(code)) {
    return goneRecipient(PROVIDER, codeOf(code));
  }
  if (CREDENTIALS.has(code)) {
    return refusedCredentials(PROVIDER, codeOf(code));
  }
  if (BUSY.has(code) || status === 429) {
    return busyProvider(PROVIDER, codeOf(code));
  }
  return typeof code === "number" && status >= 400 && status < 500 && status !== 401
    ? refusedMessage(PROVIDER, codeOf(code))
    : statusVerdict(PROVIDER, answer);
}
