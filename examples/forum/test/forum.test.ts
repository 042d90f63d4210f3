import { expect, test, vi } from "vitest";
import { tryForum } from "./try-forum.ts";

const MINUTE_MS = 60_000;

test("a post is in the inboxes of all others", async () => {
  const { inbox, mails, pass, post } = await tryForum();
  await post("ann", { title: "Tea" });
  await pass(0);
  expect([await inbox("ann"), await inbox("bob")]).toEqual([[], ["ann posted: Tea"]]);
  expect(mails.tasks).toEqual([]);
});

test("a reply notifies the post's author and those who follow it, but not its writer", async () => {
  const { as, inbox, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  await as("carl", "PUT", `/posts/${tea}/followers/me`);
  await reply("bob", tea, "Green.");
  expect(await inbox("ann")).toEqual(["bob replied to “Tea”"]);
  expect(await inbox("carl")).toEqual(["bob replied to “Tea”", "ann posted: Tea"]);
  expect(await inbox("bob")).toEqual(["ann posted: Tea"]);
  expect(await inbox("dora")).toEqual(["ann posted: Tea"]);

  // Who replied follows the post.
  await reply("ann", tea, "Why?");
  expect(await inbox("bob")).toContain("ann replied to “Tea”");
  const { body } = await as("ann", "GET", `/posts/${tea}`);
  expect(body).toMatchObject({ title: "Tea", replies: [{ text: "Green." }, { text: "Why?" }] });
});

test("who follows a post and mutes it hears of mentions alone, until they unmute it", async () => {
  const { as, inbox, notifications, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  await as("carl", "PUT", `/posts/${tea}/followers/me`);
  expect((await as("carl", "PUT", `/me/threads/${tea}/muted`)).status).toBe(204);
  await reply("bob", tea, "Green.");
  await reply("bob", tea, "Or black, @carl?");
  expect(await inbox("carl")).toEqual(["bob mentioned you in “Tea”", "ann posted: Tea"]);
  const { subscriptions } = await notifications.topics.subscribers(`post:${tea}`);
  expect(subscriptions.map(({ userId }) => userId)).toEqual(["ann", "bob", "carl"]);
  expect((await as("carl", "DELETE", `/me/threads/${tea}/muted`)).status).toBe(204);
  await reply("bob", tea, "White.");
  expect(await inbox("carl")).toContain("bob replied to “Tea”");
});

test("a mention is mailed at once, whatever its user switched off and at whatever hour, in place of the reply", async () => {
  const { as, inbox, mailsOf, mails, pass, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  await as("ann", "PUT", "/me/preferences", { category: "social", channel: "email", value: "off" });
  await as("ann", "PUT", "/me/settings", { timeZone: "UTC", quietHours: { from: "11:00", to: "13:00" } });
  const written = await reply("bob", tea, "Green, @ann, @bob and @nobody?");
  await pass(0);
  expect(await inbox("ann")).toEqual(["bob mentioned you in “Tea”"]);
  expect(mailsOf("ann")).toEqual(["bob mentioned you in “Tea”"]);
  expect(mails.tasks).toMatchObject([{ address: "ann@example.com", unsubscribeUrl: null }]);
  expect(mails.tasks[0]?.contents?.text).toBe(
    `Green, @ann, @bob and @nobody?\n\nRead it: http://forum.example/posts/${tea}#${written.body.id}`,
  );
});

test("a mail about a reply waits for ten minutes, and comes in its reader's language", async () => {
  const { mailsOf, mails, pass, post, reply } = await tryForum();
  await reply("ann", await post("bob", { title: "Tee" }), "Grün.");
  await pass(10 * MINUTE_MS - 1);
  expect(mails.tasks).toEqual([]);
  await pass(1);
  expect(mailsOf("bob")).toEqual(["ann hat auf „Tee“ geantwortet"]);
  expect(mails.tasks[0]?.contents?.text).toMatch(/^Grün\.\n\nLesen: http.*\n\nKeine solchen Mails mehr: http/);
});

test("a mail about a reply is skipped if the reply was read in the meantime", async () => {
  const { as, mails, notifications, pass, post, reply } = await tryForum();
  await reply("bob", await post("ann", { title: "Tea" }), "Green.");
  const { id } = (await as("ann", "GET", "/api/v1/notifications")).body.notifications[0];
  await as("ann", "PUT", `/me/inbox/${id}/states/read`);
  await pass(10 * MINUTE_MS);
  expect(mails.tasks).toEqual([]);
  const { deliveries } = await notifications.deliveries(id);
  expect(deliveries).toContainEqual(expect.objectContaining({ channel: "email", status: "skipped", reason: "read" }));
});

test("mails about replies are five an hour at the most, and one for all others", async () => {
  const { inbox, mailsOf, pass, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  for (let index = 0; index < 7; index += 1) {
    await reply("bob", tea, "And another thing.");
  }
  await pass(10 * MINUTE_MS);
  expect([(await inbox("ann")).length, mailsOf("ann").length]).toEqual([7, 5]);
  await pass(60 * MINUTE_MS);
  expect(mailsOf("ann").slice(5)).toEqual(["Replies (2)"]);
});

test("a user who switched replies off gets none, and everybody can ask why", async () => {
  const { as, inbox, mails, pass, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  for (const channel of ["inbox", "email"]) {
    expect((await as("ann", "PUT", "/me/preferences", { category: "social", channel, value: "off" })).status).toBe(204);
  }
  await reply("bob", tea, "Green.");
  await pass(10 * MINUTE_MS);
  expect([await inbox("ann"), mails.tasks]).toEqual([[], []]);

  const { body } = await as("ann", "GET", "/me/why/reply");
  const off = { outcome: "skip", reason: "preference" };
  expect(body).toMatchObject([
    { channel: "inbox", ...off, source: "user category inbox" },
    { channel: "email", ...off, source: "user category email" },
  ]);
  const { choices } = (await as("ann", "GET", "/me/preferences")).body;
  expect(choices).toHaveLength(2);
});

test("quiet hours put a mail off to the morning", async () => {
  const { as, mailsOf, passTo, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  await as("ann", "PUT", "/me/settings", { timeZone: "Europe/Berlin", quietHours: { from: "22:00", to: "07:00" } });
  await passTo("2030-01-01T20:55:00Z");
  await reply("bob", tea, "Green.");
  await passTo("2030-01-02T05:59:59Z");
  expect(mailsOf("ann")).toEqual([]);
  await passTo("2030-01-02T06:00:00Z");
  expect(mailsOf("ann")).toEqual(["bob replied to “Tea”"]);
});

test("a transaction that is rolled back leaves no reply and no notification", async () => {
  const { as, database, inbox, mails, pass, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  const addReply = database.addReply.bind(database);
  vi.spyOn(database, "addReply").mockImplementationOnce((one) => {
    addReply(one);
    throw new Error("The disk is full.");
  });
  expect(await reply("bob", tea, "Green, @carl?")).toMatchObject({ status: 500 });
  await pass(10 * MINUTE_MS);
  expect([await inbox("ann"), await inbox("carl"), mails.tasks]).toEqual([[], ["ann posted: Tea"], []]);
  expect((await as("ann", "GET", `/posts/${tea}`)).body.replies).toEqual([]);
});

test("the link in a mail switches mails of its category off", async () => {
  const { app, mails, mailsOf, inbox, pass, post, reply } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  await reply("bob", tea, "Green.");
  await pass(10 * MINUTE_MS);
  const link = mails.of("ann")[0]?.unsubscribeUrl ?? "";
  expect(link).toMatch(/^http:\/\/forum\.example\/belfry\/unsubscribe\//);

  // It needs no sign-in. Looking at its page changes nothing; its button does, and so do mail programs.
  expect(await (await app.request(link)).text()).toContain("“Social”");
  const body = new URLSearchParams({ "List-Unsubscribe": "One-Click" });
  expect((await app.request(link, { method: "POST", body })).status).toBe(200);
  await reply("bob", tea, "Or black.");
  await pass(10 * MINUTE_MS);
  expect([(await inbox("ann")).length, mailsOf("ann").length]).toEqual([2, 1]);
});

test("a post that has closed leaves inboxes, and is not mailed any longer", async () => {
  const { as, inbox, mailsOf, notifications, pass, passTo, post } = await tryForum();
  await notifications.start();
  for (const user of ["bob", "carl"]) {
    await as(user, "PUT", "/me/preferences", { category: "news", channel: "email", value: "on" });
  }
  await as("carl", "PUT", "/me/settings", { timeZone: "UTC", quietHours: { from: "11:00", to: "18:00" } });
  await post("ann", { title: "Lunch today?", closesAt: "2030-01-01T13:00:00Z" });
  await pass(0);
  expect(await inbox("carl")).toEqual(["ann posted: Lunch today?"]);
  await passTo("2030-01-01T18:00:00Z");
  expect([mailsOf("bob"), mailsOf("carl")]).toEqual([["ann hat geschrieben: Lunch today?"], []]);
  await vi.waitFor(async () => expect(await inbox("carl")).toEqual([]));
});

test("users see what they got by discussion, and read a discussion as a whole", async () => {
  const { as, post, reply, inbox } = await tryForum();
  const tea = await post("ann", { title: "Tea" });
  const coffee = await post("ann", { title: "Coffee" });
  for (const user of ["carl", "dora"]) {
    await reply(user, tea, `I like tea, @bob, says ${user}`);
  }
  const threads = async () => (await as("bob", "GET", "/me/threads")).body;
  expect(await threads()).toMatchObject([
    { group: `post:${tea}`, total: 3, unread: 3, actors: ["ann", "carl", "dora"], newest: { type: "mention" } },
    { group: `post:${coffee}`, total: 1, unread: 1, actors: ["ann"] },
  ]);
  await as("bob", "PUT", `/me/threads/${tea}/read`);
  expect(await threads()).toMatchObject([{ total: 3, unread: 0 }, { unread: 1 }]);
  expect(await inbox("bob")).toHaveLength(4);
});

test("users pin, archive and put off what is in their inboxes", async () => {
  const { as, inbox, notifications, pass, post } = await tryForum();
  await notifications.start();
  await post("ann", { title: "Tea" });
  await post("ann", { title: "Coffee" });
  const { notifications: items } = (await as("bob", "GET", "/api/v1/notifications")).body;
  const [coffee, tea] = items.map(({ id }: { readonly id: string }) => id);
  await as("bob", "POST", "/me/inbox/seen");
  expect(await notifications.inbox("bob").counts()).toMatchObject({ unread: 2, unseen: 0 });

  await as("bob", "PUT", `/me/inbox/${tea}/states/archived`);
  expect(await inbox("bob")).toEqual(["ann posted: Coffee"]);
  await as("bob", "PUT", `/me/inbox/${tea}/states/unarchived`);
  await as("bob", "PUT", `/me/inbox/${tea}/states/pinned`);
  expect((await notifications.inbox("bob").get(tea)).pinnedAt).toBeInstanceOf(Date);

  await as("bob", "PUT", `/me/inbox/${coffee}/snooze`, { until: "2030-01-01T13:00:00Z" });
  expect(await inbox("bob")).toEqual(["ann posted: Tea"]);
  await pass(60 * MINUTE_MS);
  await vi.waitFor(async () => expect(await inbox("bob")).toEqual(["ann posted: Coffee", "ann posted: Tea"]));
});

test("only users get in, and wrong requests are told why", async () => {
  const { as } = await tryForum();
  expect((await as("mallory", "POST", "/posts", { title: "Hi", text: "" })).status).toBe(401);
  expect((await as("mallory", "GET", "/api/v1/notifications")).status).toBe(401);
  expect((await as("ann", "GET", "/posts/none")).body).toEqual({ error: "There is no post none." });
  expect((await as("ann", "POST", "/posts", { text: "" })).status).toBe(400);
  expect((await as("ann", "POST", "/posts", { title: "Tea\nBcc: all", text: "" })).status).toBe(400);
  const unknown = await as("ann", "PUT", "/me/preferences", { category: "sports", channel: "email", value: "off" });
  expect(unknown).toMatchObject({ status: 422, body: { error: expect.stringContaining("sports") } });
  expect((await as("ann", "PUT", "/me/inbox/none/snooze", { until: "2030-01-02T12:00:00Z" })).status).toBe(404);
});
