import { randomUUID, sign } from "node:crypto";
import { createServer } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { SES_CERTIFICATE, SES_KEY } from "./ses-certificate.ts";

/** An event of Amazon SES, as far as receipts are made of it. */
export interface SesEvent {
  readonly kind: "Delivery" | "Bounce" | "Complaint" | "DeliveryDelay";
  /** The `Message-ID` that the mail was handed over with. */
  readonly messageId: string;
  readonly address: string;
  /** For a bounce. @default "Permanent" */
  readonly bounceType?: "Permanent" | "Transient" | "Undetermined";
  /** What the mail server said. @default none */
  readonly diagnosticCode?: string;
  /** @default now */
  readonly at?: Date;
}

/** A request as the notification service sends it. */
export interface SnsRequest {
  readonly method: "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A topic of Amazon's notification service that runs on this machine, and signs what SES would report. */
export interface SesTopic {
  readonly topicArn: string;
  /** For the option `egress` of `mailReceipts`: leads its look-ups to this machine. */
  readonly egress: {
    readonly ca: string;
    resolve(hostname: string): Promise<readonly { readonly address: string; readonly family: 4 }[]>;
    connect(): Socket;
  };
  /** The paths that were asked for: of certificates, and of confirmed subscriptions. */
  readonly asked: readonly string[];
  /** The request for an event. */
  event(event: SesEvent): SnsRequest;
  /** The request that asks to confirm a subscription. */
  subscription(): SnsRequest;
  /** The request for any message, signed as it is. */
  signed(message: Readonly<Record<string, string>>): SnsRequest;
  close(): Promise<void>;
}

const HOST = "sns.us-east-1.amazonaws.com";
const SIGNED = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"];
/** Nothing is sent there: connections go to this machine. */
const PUBLIC_ADDRESS = { address: "54.239.28.85", family: 4 } as const;

/**
 * Runs a topic of Amazon's notification service, for tests of a host's webhooks.
 *
 * @example
 * ```ts
 * const topic = await sesTopic();
 * const contract = mailReceipts({ ses: { topicArns: [topic.topicArn] }, egress: topic.egress });
 * const handler = createHandler(notifications, { contracts: [contract] });
 * await handler.fetch(new Request("http://localhost/api/belfry/mail-receipts/ses", topic.event({ kind: "Bounce", messageId, address })));
 * ```
 */
export async function sesTopic(): Promise<SesTopic> {
  const asked: string[] = [];
  const server = createServer({ key: SES_KEY, cert: SES_CERTIFICATE }, (request, response) => {
    asked.push(request.url ?? "");
    response.end(request.url?.endsWith(".pem") ? SES_CERTIFICATE : "<ConfirmSubscriptionResponse/>");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const topicArn = `arn:aws:sns:us-east-1:123456789012:${randomUUID()}`;
  const ofTopic = (type: string, more: Readonly<Record<string, string>>, at = new Date()) =>
    signedRequest({ Type: type, MessageId: randomUUID(), TopicArn: topicArn, Timestamp: at.toISOString(), ...more });
  return {
    topicArn,
    asked,
    egress: { ca: SES_CERTIFICATE, resolve: async () => [PUBLIC_ADDRESS], connect: () => connect(port, "127.0.0.1") },
    event: (event) => ofTopic("Notification", { Message: JSON.stringify(eventOf(event)) }),
    subscription: () => {
      const url = `https://${HOST}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=token`;
      return ofTopic("SubscriptionConfirmation", { Message: "Confirm it.", Token: "token", SubscribeURL: url });
    },
    signed: signedRequest,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function signedRequest(message: Readonly<Record<string, string>>): SnsRequest {
  const text = SIGNED.flatMap((name) => (message[name] === undefined ? [] : [`${name}\n${message[name]}\n`])).join("");
  const signature = sign("sha256", Buffer.from(text), SES_KEY).toString("base64");
  const certificate = `https://${HOST}/SimpleNotificationService-0123456789abcdef.pem`;
  const body = { ...message, SignatureVersion: "2", SigningCertURL: certificate, Signature: signature };
  return { method: "POST", headers: { "content-type": "text/plain; charset=UTF-8" }, body: JSON.stringify(body) };
}

function eventOf({ kind, messageId, address, bounceType = "Permanent", diagnosticCode, at = new Date() }: SesEvent): object {
  const recipient = { emailAddress: address, ...(diagnosticCode !== undefined && { diagnosticCode }) };
  const timestamp = at.toISOString();
  const details = {
    Delivery: { delivery: { timestamp, recipients: [address] } },
    Bounce: { bounce: { timestamp, bounceType, bounceSubType: "General", bouncedRecipients: [recipient] } },
    Complaint: { complaint: { timestamp, complaintFeedbackType: "abuse", complainedRecipients: [recipient] } },
    DeliveryDelay: { deliveryDelay: { timestamp, delayType: "MailboxFull", delayedRecipients: [recipient] } },
  }[kind];
  const mail = { messageId: randomUUID(), destination: [address], headers: [{ name: "Message-ID", value: messageId }] };
  return { eventType: kind, mail, ...details };
}
