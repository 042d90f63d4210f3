import { type ChannelSubject, channelSuite } from "@belfry/testkit";
import { email } from "../src/index.ts";
import { mailServer } from "./mail-server.ts";

const PASSWORD = "the-password-of-the-mail-server";

async function subject(...options: Parameters<typeof mailServer>): Promise<ChannelSubject> {
  const server = await mailServer(...options);
  return {
    channel: email({ transport: server.url.replace("//", `//shop:${PASSWORD}@`), from: "shop@example.com", timeoutMs: 30_000 }),
    recipient: "jane@example.com",
    received: () => server.mails.length,
    connections: server.openConnections,
    close: server.close,
  };
}

const login: Parameters<typeof mailServer>[0] = {
  allowInsecureAuth: true,
  disabledCommands: ["STARTTLS"],
  onAuth: ({ username, password }, _session, callback) =>
    callback(password === PASSWORD ? null : new Error("Wrong password"), { user: username ?? "" }),
};

channelSuite("email", {
  taking: () => subject(login),
  silent: () => subject({ ...login, onConnect: () => {} }),
  async unreachable() {
    const gone = await subject(login);
    await gone.close();
    return { ...gone, close: async () => {} };
  },
  invalidRecipients: ["ann", "a@x.test, b@x.test", "a@x.test\r\nBcc: evil@x.test", "Ann <ann@x.test>", "group:a@x.test;"],
  secrets: [PASSWORD],
});
