import type { AddressInfo } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer } from "smtp-server";

/** A mail that the server took. */
export interface HandedIn {
  readonly to: readonly string[];
  readonly mail: Email;
}

/** A real SMTP server on 127.0.0.1, and the mails it took. */
export interface MailPeer {
  readonly url: string;
  readonly mails: HandedIn[];
  close(): Promise<void>;
}

/** Starts a server that takes every mail, except to addresses that begin with "nobody", which it refuses for good. */
export async function mailPeer(): Promise<MailPeer> {
  const mails: HandedIn[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    logger: false,
    onRcptTo({ address }, _session, callback) {
      callback(address.startsWith("nobody") ? Object.assign(new Error("no such mailbox"), { responseCode: 550 }) : null);
    },
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        mails.push({ to: envelope.rcptTo.map(({ address }) => address), mail: await PostalMime.parse(Buffer.concat(chunks)) });
        callback(null);
      });
    },
  });
  // A client that is killed resets its connection; without a listener, that would end this process.
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  return { url: `smtp://127.0.0.1:${port}`, mails, close: () => new Promise((resolve) => server.close(() => resolve())) };
}
