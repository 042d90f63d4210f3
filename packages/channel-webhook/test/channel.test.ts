import { channelSuite } from "@belfry/testkit";
import { webhook } from "../src/index.ts";
import { httpReceiver, type Receiver, tcpReceiver } from "./receiver.ts";

const secret = `whsec_${Buffer.alloc(32, 1).toString("base64")}`;

async function subject(starting: Promise<Receiver>) {
  const receiver = await starting;
  return {
    channel: webhook({ secret, allowPrivate: true, timeoutMs: 30_000 }),
    recipient: receiver.url,
    received: () => receiver.received.length,
    connections: receiver.openConnections,
    close: receiver.close,
  };
}

channelSuite("webhook", {
  taking: () => subject(httpReceiver()),
  silent: () => subject(tcpReceiver((socket) => void socket.resume())),
  async unreachable() {
    const gone = await subject(httpReceiver());
    await gone.close();
    return { ...gone, close: async () => {} };
  },
  invalidRecipients: ["ann", "ftp://example.com/", "https://user:password@example.com/", "https://exa mple.com/", "javascript:alert(1)"],
  secrets: [secret, secret.slice("whsec_".length)],
});
