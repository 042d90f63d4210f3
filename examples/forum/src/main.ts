import { email, type MailSender } from "@belfry/channel-email";
import { serve } from "@hono/node-server";
import { forumApp } from "./app.ts";
import { Database } from "./database.ts";
import { forumNotifications } from "./notifications.ts";

const { FORUM_FILE = "forum.db", LINK_SECRET, SMTP_URL } = process.env;
const port = Number(process.env.PORT ?? 3000);
const publicUrl = process.env.PUBLIC_URL ?? `http://127.0.0.1:${port}`;

/** Shows mails instead of sending them. */
const terminal: MailSender = {
  async sendMail({ to, subject, text }) {
    console.log(`\nA mail to ${to.address}: ${subject}\n${text}\n`);
    return { response: "250 shown" };
  },
};

const tryIt = `The forum listens on ${publicUrl}. Its users are ann, bob and carl.${SMTP_URL ? "" : " It shows mails here."} Try this in another terminal:

as() { curl -s -w '\\n' -H "X-User: $1" -X "$2" "${publicUrl}$3" -H "Content-Type: application/json" -d "$4"; }

# Ann posts, Bob replies and mentions Carl: Ann and Carl have something in their inboxes, and Carl has a mail.
post=$(as ann POST /posts '{"title":"Tea","text":"Green or black?"}' | grep -o '"id":"[^"]*' | cut -d'"' -f4)
as bob POST "/posts/$post/replies" '{"text":"Green. What do you say, @carl?"}'
as ann GET /api/v1/notifications

# Ann wants no mails about replies any longer. Why would she get none?
as ann PUT /me/preferences '{"category":"social","channel":"email","value":"off"}'
as ann GET /me/why/reply

# Everything that happens in Ann's inbox from now on:
curl -N -H "X-User: ann" "${publicUrl}/api/v1/notifications/stream"
`;

const database = new Database(FORUM_FILE);
database.addUser({ id: "ann", email: "ann@example.com", locale: "en" });
database.addUser({ id: "bob", email: "bob@example.com", locale: "de" });
database.addUser({ id: "carl", email: "carl@example.com", locale: "en" });

const notifications = forumNotifications(database, {
  channels: [email({ transport: SMTP_URL ?? terminal, from: "The Forum <forum@example.com>" })],
  publicUrl,
  linkSecret: LINK_SECRET ?? "only-for-trying-it-out-0123456789",
});
await notifications.start();
const { app, belfry } = forumApp(database, notifications);
const server = serve({ fetch: app.fetch, port, hostname: "127.0.0.1" }, () => console.log(tryIt));
server.on("upgrade", belfry.upgrade);

async function stop(): Promise<void> {
  server.close();
  belfry.close();
  await notifications.stop();
  database.close();
}
process.once("SIGINT", stop).once("SIGTERM", stop);
