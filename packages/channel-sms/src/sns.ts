import {
  busyProvider,
  codeOf,
  goneRecipient,
  refusedCredentials,
  refusedMessage,
  requireText,
  statusVerdict,
  unreadableAnswer,
} from "@belfry/channel-http";
import { type Channel, requireOptions } from "@belfry/core";
import type { ReadAnswer, Verdict } from "@belfry/egress";
import { type AwsCredentials, signAws } from "./sign-aws.ts";
import { FORM_TYPE, type SmsOptions, smsChannel, smsOptionsOf } from "./sms-channel.ts";

const PROVIDER = "Amazon SNS";
const VERSION = "2010-03-31";

/** The options of {@link sns}. */
export interface SnsOptions extends SmsOptions {
  /** The region, for example `eu-central-1`. */
  readonly region: string;
  /** The keys of an identity that may publish, or a function that gives them: it is called for every attempt, as temporary ones end. */
  readonly credentials: AwsCredentials | ((tenant: string) => AwsCredentials | Promise<AwsCredentials>);
  /** The name that sends, 1 to 11 letters and digits, where the country allows one. @default that of the account */
  readonly senderId?: string;
  /** `Transactional` for what must arrive; `Promotional` costs less. @default "Transactional" */
  readonly messageType?: "Transactional" | "Promotional";
}

/**
 * Makes the channel that sends text messages over Amazon SNS.
 *
 * @throws `CONFIGURATION` for an option that cannot be used.
 * @example
 * ```ts
 * const sms = sns({ region: "eu-central-1", credentials: { accessKeyId: "AKIA…", secretAccessKey: "…" } });
 * ```
 */
export function sns(options: SnsOptions): Channel {
  requireOptions("sns", options, smsOptionsOf({ region: true, credentials: true, senderId: true, messageType: true }));
  const region = requireText("sns: region", options.region, { form: /^[a-z]{2}(?:-[a-z]+)+-\d$/, remedy: "a region such as eu-central-1" });
  const attributes = attributesOf(options);
  const credentialsOf = credentialsSource(options.credentials);
  return smsChannel(
    {
      ...{ name: "sns", api: `https://sns.${region}.amazonaws.com`, judge },
      async request({ to, text }, { tenant }, { api, now }) {
        const credentials = await credentialsOf(tenant);
        const fields = { Action: "Publish", Version: VERSION, PhoneNumber: to, Message: text, ...attributes };
        const body = new URLSearchParams(fields).toString();
        const unsigned = { url: `${api}/`, service: "sns", region, headers: { "Content-Type": FORM_TYPE }, body, nowMs: now() };
        const secrets = [credentials.secretAccessKey, credentials.sessionToken ?? ""];
        return { url: unsigned.url, headers: signAws(unsigned, credentials), body, secrets };
      },
    },
    options,
  );
}

function attributesOf({ senderId, messageType = "Transactional" }: SnsOptions): Readonly<Record<string, string>> {
  const type = requireText("sns: messageType", messageType, {
    form: /^(?:Transactional|Promotional)$/,
    remedy: "Transactional or Promotional",
  });
  const sender = { form: /^[A-Za-z0-9]{1,11}$/, remedy: "1 to 11 letters and digits" };
  const given = {
    "AWS.SNS.SMS.SMSType": type,
    ...(senderId !== undefined && { "AWS.SNS.SMS.SenderID": requireText("sns: senderId", senderId, sender) }),
  };
  const entries = Object.entries(given).flatMap(([name, value], index) => {
    const entry = `MessageAttributes.entry.${index + 1}`;
    return [
      [`${entry}.Name`, name],
      [`${entry}.Value.DataType`, "String"],
      [`${entry}.Value.StringValue`, value],
    ];
  });
  return Object.fromEntries(entries);
}

/** Checks fixed credentials at once, and a tenant's at use. The messages do not contain them. */
function credentialsSource(given: SnsOptions["credentials"]): (tenant: string) => AwsCredentials | Promise<AwsCredentials> {
  if (typeof given === "function") {
    return async (tenant) => checked(await given(tenant));
  }
  const fixed = checked(given);
  return () => fixed;
}

function checked(credentials: AwsCredentials): AwsCredentials {
  requireOptions("sns's credentials", credentials, { accessKeyId: true, secretAccessKey: true, sessionToken: true });
  const form = { form: /^[\x21-\x7e]{1,4096}$/, remedy: "what AWS shows" };
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  return {
    accessKeyId: requireText("sns: accessKeyId", accessKeyId, form),
    secretAccessKey: requireText("sns: secretAccessKey", secretAccessKey, form),
    ...(sessionToken !== undefined && { sessionToken: requireText("sns: sessionToken", sessionToken, form) }),
  };
}

const CREDENTIALS: ReadonlySet<string> = new Set([
  ...["InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "AccessDenied", "AuthorizationError"],
  ...["AuthFailure", "IncompleteSignature", "MissingAuthenticationToken", "OptInRequired", "RequestExpired"],
]);
const BUSY: ReadonlySet<string> = new Set([
  "Throttling",
  "Throttled",
  "ThrottlingException",
  "InternalError",
  "ServiceUnavailable",
  "KMSThrottling",
]);

/** SNS answers in XML, in which an error has a code. */
function judge(answer: ReadAnswer): Verdict | null {
  const { status, text } = answer;
  if (status >= 200 && status < 300) {
    return text.includes("<MessageId>") ? { accepted: true } : unreadableAnswer(PROVIDER);
  }
  const [, found] = /<Code>([^<]*)<\/Code>/.exec(text) ?? [];
  if (found === undefined) {
    return statusVerdict(PROVIDER, answer);
  }
  const code = codeOf(found);
  if (CREDENTIALS.has(code)) {
    return refusedCredentials(PROVIDER, code);
  }
  if (BUSY.has(code)) {
    return busyProvider(PROVIDER, code);
  }
  // Its owner asked not to get texts from this account.
  const isOptedOut = code === "OptedOut" || (code === "InvalidParameter" && text.includes("opted out"));
  return isOptedOut ? goneRecipient(PROVIDER, code) : status < 500 ? refusedMessage(PROVIDER, code) : null;
}
