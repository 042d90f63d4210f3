import type { DeliveryOutcome } from "@belfry/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { apns, expo, fcm, PLATFORMS, type Platform, web } from "./platforms.ts";
import { live, taskOf } from "./task.ts";

async function started<Of extends Platform>(start: () => Promise<Of>): Promise<Of> {
  const platform = await start();
  onTestFinished(() => platform.service.close());
  return platform;
}

const expoTicket = (error: string) => ({ status: 200, body: { data: { status: "error", message: error, details: { error } } } });
const TRANSIENT = { status: "failed", transient: true };
const FINAL = { status: "failed", transient: false };
const GONE = { ...FINAL, isEndpointGone: true };

describe("what a device is told", () => {
  test("a browser decrypts the notification as it was created, with its urgency, and a topic for its group or for itself", async () => {
    const { channel, device, service } = await started(web);
    const [first, second] = [device(), device()];
    const outcome = await channel.deliver(taskOf(first), live());
    expect(outcome).toEqual({ status: "sent", provider: "web-push", response: "201", messageId: taskOf(first).id });
    await channel.deliver(taskOf(second, { group: null, unread: 0, priority: "low", data: {} }), live());
    expect(service.taken.map(({ device: endpoint, message }) => [endpoint, message])).toEqual([
      [
        first.token,
        {
          ...{ id: taskOf(first).notificationId, type: "comment", title: "Bob commented — „ünïcode“ 🎐", message: "Well said." },
          ...{ data: { postId: "7", likes: 3 }, url: "/posts/7", group: "post 7", unread: 4, actions: null, priority: "high" },
          ...{ locale: "en", digest: null },
        },
      ],
      [second.token, expect.objectContaining({ group: null, unread: 0, data: {} })],
    ]);
    const [high, low] = service.taken.map(({ headers }) => headers);
    expect(high).toMatchObject({
      urgency: "high",
      topic: expect.stringMatching(/^[\w-]{1,32}$/),
      ttl: "2419200",
      "content-encoding": "aes128gcm",
    });
    expect(low).toMatchObject({ urgency: "low", topic: expect.stringMatching(/^[\w-]{1,32}$/) });
    expect(low?.topic).not.toBe(high?.topic);
    await channel.deliver(taskOf(device(), { group: null }), live());
    expect(service.taken[2]?.headers.topic).toBe(low?.topic);
  });

  test("Firebase gets a message whose data are texts, which collapses by group", async () => {
    const { channel, device, service } = await started(fcm);
    const phone = device();
    expect(await channel.deliver(taskOf(phone), live())).toMatchObject({ status: "sent", provider: "fcm" });
    const { id: delivery, notificationId: id, title } = taskOf(phone);
    expect(service.taken.map(({ message }) => message)).toEqual([
      {
        token: phone.token,
        notification: { title, body: "Well said." },
        data: { id, delivery, type: "comment", url: "/posts/7", group: "post 7", data: '{"postId":"7","likes":3}' },
        android: { priority: "HIGH", collapse_key: "post 7", notification: { tag: "post 7", notification_count: 4 } },
        apns: { payload: { aps: { badge: 4, "thread-id": "post 7" } } },
      },
    ]);
  });

  test("Apple's service gets the delivery's id, the app, the badge and the thread", async () => {
    const { channel, device, service } = await started(apns);
    await channel.deliver(taskOf(device()), live());
    await channel.deliver(taskOf({ ...device(), app: "com.example.other" }, { group: "ü".repeat(60), priority: "low" }), live());
    const { id, notificationId, title } = taskOf(device());
    expect(service.taken[0]?.message).toEqual({
      aps: { alert: { title, body: "Well said." }, sound: "default", badge: 4, "thread-id": "post 7" },
      ...{ id: notificationId, type: "comment", url: "/posts/7", data: { postId: "7", likes: 3 } },
    });
    const [first, second] = service.taken.map(({ headers }) => headers);
    expect(first).toMatchObject({ "apns-id": id, "apns-topic": "com.example.app", "apns-push-type": "alert", "apns-priority": "10" });
    expect(second).toMatchObject({ "apns-topic": "com.example.other", "apns-priority": "5" });
    expect([first, second].map((headers) => String(headers?.["apns-collapse-id"]).length <= 64)).toEqual([true, true]);
  });

  test("Expo gets the token, the texts and the badge", async () => {
    const { channel, device, service } = await started(expo);
    const phone = device();
    expect(await channel.deliver(taskOf(phone), live())).toMatchObject({ status: "sent", provider: "expo" });
    expect(service.taken[0]?.headers.authorization).toBe("Bearer the access token of Expo");
    expect(service.taken[0]?.message).toMatchObject({ to: phone.token, body: "Well said.", badge: 4, priority: "high" });
  });

  test.each(Object.entries(PLATFORMS))(
    "what is too large for %s loses its data first, then the end of its text, and a note says so",
    async (_, start) => {
      const { channel, device, service } = await started(start);
      const large = { large: "x".repeat(5_000) };
      const noData = await channel.deliver(taskOf(device(), { data: large }), live());
      expect(noData).toMatchObject({
        status: "sent",
        note: expect.stringMatching(/^The data was left out: \d+ bytes do not fit into \d+\.$/),
      });
      const cut = await channel.deliver(
        taskOf(device(), { data: large, message: "🎐ü\u0001".repeat(2_500), title: "t".repeat(1_000) }),
        live(),
      );
      expect(cut).toMatchObject({ status: "sent", note: expect.stringContaining("and the text was cut") });
      const sent = JSON.stringify(service.taken.map(({ message }) => message));
      expect([sent.includes("xxxx"), sent.includes("…"), sent.isWellFormed()]).toEqual([false, true, true]);
      expect(service.taken).toHaveLength(2);
    },
  );
});

describe("what becomes of an answer", () => {
  test.each(Object.entries(PLATFORMS))(
    "%s: 429 is tried again after the time it says, 500 and a redirect as HTTP has it",
    async (_, start) => {
      const { channel, device, service } = await started(start);
      const answered = async (status: number, headers = {}) => {
        service.answerWith(() => ({ status, headers, body: {} }));
        return channel.deliver(taskOf(device()), live());
      };
      expect(await answered(429, { "retry-after": "90" })).toMatchObject({ ...TRANSIENT, retryAfterMs: 90_000 });
      expect(await answered(500)).toMatchObject(TRANSIENT);
      expect(await answered(503)).toMatchObject(TRANSIENT);
      expect(await answered(307, { location: "http://127.0.0.1:1/" })).toMatchObject(FINAL);
      expect(await answered(413)).toMatchObject(FINAL);
      expect(service.received).toHaveLength(5);
    },
  );

  test.each(Object.entries(PLATFORMS))("%s: a device that is gone is said to be gone", async (_, start) => {
    const { channel, device, service } = await started(start);
    const [here, gone] = [device(), device()];
    service.forget(gone.token);
    const [first, second] = await Promise.all([here, gone].map((one) => channel.deliver(taskOf(one), live())));
    expect([first?.status, second]).toMatchObject(["sent", GONE]);
  });

  test.each(Object.entries(PLATFORMS))("%s: a token that the answer repeats is not kept", async (_, start) => {
    const { channel, device, service } = await started(start);
    const phone = device();
    service.answerWith((push) => ({ status: 400, body: `no ${push.device} for ${push.headers.authorization}` }));
    const outcome = await channel.deliver(taskOf(phone), live());
    expect(outcome).toMatchObject({ ...FINAL, response: expect.stringContaining("•••") });
    expect(JSON.stringify(outcome)).not.toContain(phone.token);
    expect(JSON.stringify(outcome)).not.toMatch(/ya29|access token|eyJ/);
  });

  test("each provider's own words for it count, and none of another kind", async () => {
    const outcomes: DeliveryOutcome[] = [];
    const answer = async ({ channel, device, service }: Platform, status: number, body: unknown) => {
      service.answerWith(() => ({ status, body }));
      outcomes.push(await channel.deliver(taskOf(device()), live()));
    };
    const [browsers, firebase, apple, ofExpo] = [await started(web), await started(fcm), await started(apns), await started(expo)];
    const details = (errorCode: string) => ({ error: { status: "X", details: [{ errorCode }] } });
    await answer(browsers, 404, "");
    await answer(firebase, 400, details("UNREGISTERED"));
    await answer(apple, 400, { reason: "BadDeviceToken" });
    expect(outcomes.splice(0)).toMatchObject([GONE, GONE, GONE]);
    await answer(browsers, 403, "wrong key");
    await answer(firebase, 400, details("INVALID_ARGUMENT"));
    await answer(firebase, 403, "no JSON");
    await answer(apple, 400, { reason: "DeviceTokenNotForTopic" });
    await answer({ ...ofExpo, service: { ...ofExpo.service } }, 200, expoTicket("MismatchSenderId").body);
    expect(outcomes.map((outcome) => "isEndpointGone" in outcome)).toEqual(Array(5).fill(false));
    expect(outcomes.splice(0)).toMatchObject(Array(5).fill(FINAL));
    await answer(ofExpo, 200, expoTicket("MessageRateExceeded").body);
    await answer(ofExpo, 200, "no JSON");
    await answer(apple, 429, { reason: "TooManyRequests" });
    expect(outcomes).toMatchObject([TRANSIENT, TRANSIENT, TRANSIENT]);
  });
});

describe("tokens of the sender", () => {
  test("one is used for many pushes, and one that expired in the middle is renewed once for each push", async () => {
    const { channel, device, service } = await started(fcm);
    const pushes = (count: number) => Promise.all(Array.from({ length: count }, () => channel.deliver(taskOf(device()), live())));
    await pushes(5);
    expect(service.tokens()).toBe(1);
    service.expireTokens();
    expect((await pushes(5)).map(({ status }) => status)).toEqual(Array(5).fill("sent"));
    expect([service.tokens(), service.taken.length]).toEqual([2, 10]);
  });

  test("Apple's is renewed, too; one that stays refused is tried again later", async () => {
    const { channel, device, service, options } = await started(apns);
    await channel.deliver(taskOf(device()), live());
    service.expireTokens();
    expect(await channel.deliver(taskOf(device()), live())).toMatchObject({ status: "sent" });
    service.answerWith(() => ({ status: 403, body: { reason: "ExpiredProviderToken" } }));
    const refused = await channel.deliver(taskOf(device()), live());
    expect(refused).toMatchObject({ ...TRANSIENT, error: "Apple's service refused the credentials: ExpiredProviderToken" });
    expect([service.taken.length, service.received.length]).toEqual([2, 4]);
    expect(options.apns?.keyId).toBe("KEY1234567");
  });
});
