import type { AddressInfo, Socket } from "node:net";
import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";

/** One mail that the server took. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly raw: string;
  readonly parsed: Email;
  readonly secure: boolean;
  readonly user: string | undefined;
}

/** A real SMTP server on 127.0.0.1, and the mails it took. */
export interface MailServer {
  readonly port: number;
  readonly url: string;
  readonly mails: ReceivedMail[];
  /** The largest number of connections at once. */
  readonly connections: () => number;
  /** Ends every connection: after its pending writes, or at once. */
  readonly drop: (how: "flushed" | "reset") => void;
  readonly openConnections: () => number;
  readonly close: () => Promise<void>;
}

/** Decides about a mail that the server has read; by default the server takes it. */
export type OnMail = (accept: () => void, server: MailServer) => void;

/** The error that makes smtp-server answer with this code. */
export function smtpError(responseCode: number, message = "no"): Error {
  return Object.assign(new Error(message), { responseCode });
}

/** Starts a server. It asks for no login unless `options` has `onAuth`. */
export async function mailServer(options: SMTPServerOptions = {}, onMail: OnMail = (accept) => accept()): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = new SMTPServer({
    authOptional: !options.onAuth,
    disabledCommands: options.onAuth ? [] : ["AUTH", "STARTTLS"],
    logger: false,
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", async () => {
        const raw = Buffer.concat(chunks).toString("latin1");
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          raw,
          parsed: await PostalMime.parse(Buffer.concat(chunks)),
          secure: session.secure,
          user: typeof session.user === "string" ? session.user : undefined,
        });
        onMail(() => callback(null), started);
      });
    },
    ...options,
  });
  server.on("error", () => undefined);
  server.server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo;
  const started: MailServer = {
    port,
    url: `smtp://127.0.0.1:${port}`,
    mails,
    connections: () => connections,
    openConnections: () => sockets.size,
    drop: (how) => {
      for (const socket of sockets) {
        if (how === "reset") {
          socket.resetAndDestroy();
        } else {
          socket.destroySoon();
        }
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) {
          socket.destroy();
        }
      }),
  };
  return started;
}

/** Starts servers and ends them together. */
export function mailServers() {
  const running: MailServer[] = [];
  return {
    start: async (options?: SMTPServerOptions, onMail?: OnMail): Promise<MailServer> => {
      const server = await mailServer(options, onMail);
      running.push(server);
      return server;
    },
    closeAll: async (): Promise<void> => {
      await Promise.all(running.splice(0).map((server) => server.close()));
    },
  };
}
