import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { SMTPServer } from "smtp-server";

/** A mail that the local server took. */
export interface TakenMail {
  /** The sender for the mail server, where reports go. */
  readonly from: string;
  readonly to: string;
  /** The whole mail, as it came. */
  readonly raw: Buffer;
  /** What the server was asked to report, such as `FAILURE`; empty for nothing. */
  readonly notify: readonly string[];
}

/** What a report says of a mail (RFC 3464). */
export interface MailReport {
  /** @default "failed" */
  readonly action?: "failed" | "delayed" | "delivered";
  /** A code of RFC 3463. @default "5.1.1": there is no such mailbox */
  readonly status?: string;
  /** The address that the mail was forwarded to. @default the recipient's */
  readonly finalRecipient?: string;
}

/** An SMTP server that runs on this machine. */
export interface SmtpService {
  /** For the option `transport` of `email`. */
  readonly url: string;
  /** The mails that were taken, oldest first. */
  readonly taken: readonly TakenMail[];
  /** From now on, decides by the recipient with which code a mail is refused, such as 450; 550 says that nobody is there; null takes it. */
  answerWith(answer: (recipient: string) => number | null): void;
  /** The mail with which a server reports to the sender what became of one that it had taken. */
  report(mail: TakenMail, report?: MailReport): Buffer;
  close(): Promise<void>;
}

/**
 * Runs an SMTP server that reports what becomes of mails (DSN), for tests of what a host sends and of what comes back.
 *
 * @example
 * ```ts
 * const smtp = await smtpService();
 * const channel = email({ transport: smtp.url, from: "shop@example.com", bounces });
 * // … once something is delivered:
 * await recordBounceMail(smtp.report(smtp.taken[0]), { receipts: notifications.receipts, bounces });
 * await smtp.close();
 * ```
 */
export async function smtpService(): Promise<SmtpService> {
  const taken: TakenMail[] = [];
  const sockets = new Set<Socket>();
  let decide: (recipient: string) => number | null = () => null;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    hideDSN: false,
    logger: false,
    onRcptTo({ address }, _, callback) {
      const code = decide(address);
      const words = code === 550 ? "5.1.1 no such user" : "refused by the test";
      callback(code === null ? null : Object.assign(new Error(words), { responseCode: code }));
    },
    onData(stream, { envelope: { mailFrom, rcptTo } }, callback) {
      const from = mailFrom ? mailFrom.address : "";
      buffer(stream).then((raw) => {
        taken.push(...rcptTo.map(({ address: to, dsn }) => ({ from, to, raw, notify: dsn?.notify ?? [] })));
        callback(null);
      }, callback);
    },
  });
  // A sender that breaks off is no error of the server.
  server.on("error", () => undefined);
  server.server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  return {
    url: `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`,
    taken,
    answerWith(answer) {
      decide = answer;
    },
    report: reportOf,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
}

function reportOf({ from, to, raw }: TakenMail, { action = "failed", status = "5.1.1", finalRecipient = to }: MailReport = {}): Buffer {
  const boundary = "report-of-the-local-server";
  const head = raw.subarray(0, Math.max(0, raw.indexOf("\r\n\r\n"))).toString("latin1");
  const lines = [
    "From: MAILER-DAEMON@localhost",
    `To: <${from}>`,
    "Subject: What became of your mail",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=delivery-status; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    "Content-Type: text/plain",
    "",
    `Your mail to ${to}: ${action}.`,
    `--${boundary}`,
    "Content-Type: message/delivery-status",
    "",
    "Reporting-MTA: dns; localhost",
    "",
    `Original-Recipient: rfc822;${to}`,
    `Final-Recipient: rfc822;${finalRecipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: smtp; 550 ${status} as the test says`,
    "",
    `--${boundary}`,
    "Content-Type: text/rfc822-headers",
    "",
    head,
    `--${boundary}--`,
    "",
  ];
  return Buffer.from(lines.join("\r\n"), "latin1");
}
