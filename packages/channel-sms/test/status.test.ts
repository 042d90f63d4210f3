import { createHmac } from "node:crypto";
import { NotificationService } from "@belfry/core";
import { sqliteStorage } from "@belfry/storage-sqlite";
import { providerServer } from "@belfry/testkit/host";
import { describe, expect, it, onTestFinished } from "vitest";
import { twilio, twilioStatus, vonage, vonageStatus } from "../src/index.ts";
import { signTwilio } from "../src/sign-twilio.ts";

const TO = "+4930123456";
const TOKEN = "12345";
const statusUrl = "https://app.example.com/hooks/twilio?from=twilio";

/** Sends a text message by a channel, and returns its delivery with what the provider got. */
async function sent(name: "twilio" | "vonage") {
  const server = await providerServer(name);
  onTestFinished(() => server.close());
  const at = { api: server.url, allowPrivate: true };
  const channel =
    name === "twilio"
      ? twilio({ ...at, accountSid: `AC${"0".repeat(32)}`, authToken: TOKEN, from: "TheShop", statusUrl })
      : vonage({ ...at, apiKey: "abcd1234", apiSecret: "s", from: "TheShop" });
  const notifications = new NotificationService({ storage: sqliteStorage(":memory:"), channels: [channel] });
  onTestFinished(() => notifications.stop());
  const { notification } = await notifications.create({ to: { sms: TO }, title: "Your code is 1234" });
  await notifications.runDue();
  const deliveryOf = async () => (await notifications.deliveries(notification.id)).deliveries[0];
  return { notifications, deliveryOf, body: server.received[0]?.body ?? {} };
}

/** A report as Twilio sends it. */
function reported(callback: string, fields: Readonly<Record<string, string>>) {
  const signature = signTwilio(callback, Object.entries(fields), TOKEN);
  const { pathname, search } = new URL(callback);
  return { url: pathname + search, headers: { "x-twilio-signature": signature }, body: new URLSearchParams(fields).toString() };
}

describe("a report of Twilio", () => {
  it("is signed as its documentation has it", () => {
    const fields = { CallSid: "CA1234567890ABCDE", Caller: "+14158675309", Digits: "1234", From: "+14158675309", To: "+18005551212" };
    const signature = signTwilio("https://mycompany.com/myapp.php?foo=1&bar=2", Object.entries(fields), TOKEN);
    expect(signature).toBe("RSOYDt4T1cUTdK1PDd93/VVr8B8=");
  });

  it("makes the delivery delivered, or failed; a number that is gone is suppressed", async () => {
    const { notifications, deliveryOf, body } = await sent("twilio");
    const callback = String(body.StatusCallback);
    const id = (await deliveryOf())?.id ?? "";
    expect(callback).toBe(`${statusUrl}&delivery=${id}`);
    const read = (fields: Readonly<Record<string, string>>) => twilioStatus({ ...reported(callback, fields), authToken: TOKEN, statusUrl });
    expect(read({ MessageStatus: "sent", To: TO })).toEqual({ isSigned: true, receipt: null });
    expect(read({ MessageStatus: "undelivered", ErrorCode: "30003", To: TO }).receipt).toMatchObject({ kind: "soft_bounce" });
    const delivered = read({ MessageStatus: "delivered", To: TO }).receipt;
    await notifications.receipts.record(delivered ?? { kind: "deferred" });
    expect(await deliveryOf()).toMatchObject({ status: "delivered" });
    const gone = read({ MessageStatus: "undelivered", ErrorCode: "30006", To: TO }).receipt;
    expect(gone).toMatchObject({ kind: "hard_bounce", messageId: id, address: TO, channel: "sms", detail: "undelivered 30006" });
    expect(await notifications.receipts.record(gone ?? { kind: "deferred" })).toEqual({ outcome: "changed", isSuppressed: true });
    expect(await deliveryOf()).toMatchObject({ status: "failed" });
  });

  it("comes to the address without its fragment, which no request has", () => {
    const withFragment = "https://app.example.com/hooks#twilio";
    const callback = "https://app.example.com/hooks?delivery=one";
    const report = reported(callback, { MessageStatus: "delivered", To: TO });
    expect(twilioStatus({ ...report, authToken: TOKEN, statusUrl: withFragment })).toMatchObject({
      isSigned: true,
      receipt: { kind: "delivered", messageId: "one" },
    });
  });

  it("that somebody else signed, or that is about another delivery, is none", () => {
    const callback = `${statusUrl}&delivery=one`;
    const report = reported(callback, { MessageStatus: "delivered", To: TO });
    const options = { authToken: TOKEN, statusUrl };
    expect(twilioStatus({ ...report, ...options }).isSigned).toBe(true);
    const none = { isSigned: false, receipt: null };
    for (const forged of [
      { ...report, url: report.url.replace("one", "two") },
      { ...report, body: report.body.replace("delivered", "failed") },
      { ...report, headers: {} },
      { ...report, headers: { "x-twilio-signature": "é" } },
      { url: "", headers: {}, body: "" },
    ]) {
      expect(twilioStatus({ ...forged, ...options })).toEqual(none);
    }
    expect(twilioStatus({ ...report, ...options, authToken: "other" })).toEqual(none);
  });
});

it("is refused with headers in which no signature would be found", () => {
  const report = { url: "/", headers: new Headers() as unknown as Record<string, string>, body: "" };
  for (const read of [
    () => twilioStatus({ ...report, authToken: TOKEN, statusUrl }),
    () => vonageStatus({ ...report, signatureSecret: "secret" }),
  ]) {
    expect(read).toThrow(
      expect.objectContaining({ code: "CONFIGURATION", message: expect.stringContaining("Object.fromEntries(request.headers)") }),
    );
  }
});

describe("a receipt of Vonage", () => {
  const signatureSecret = "the signature secret".replaceAll(" ", "-");
  /** As Vonage's own libraries sign it. */
  const signed = (fields: Readonly<Record<string, string>>) => {
    const text = Object.keys(fields)
      .sort()
      .reduce((before, name) => `${before}&${name}=${fields[name]?.replace(/(&|=)/gi, "_")}`, "");
    return { ...fields, sig: createHmac("sha256", signatureSecret).update(text).digest("hex") };
  };

  it("makes the delivery delivered, in a query, a form or JSON", async () => {
    const { notifications, deliveryOf, body } = await sent("vonage");
    const reference = String(body["client-ref"]);
    expect(reference).toBe((await deliveryOf())?.id);
    const fields = signed({ msisdn: TO.slice(1), status: "delivered", "err-code": "0", "client-ref": reference, price: "0.1&=" });
    const json = { "content-type": "application/json" };
    const statuses = [
      vonageStatus({ url: `/hooks?${new URLSearchParams(fields)}`, headers: {}, body: "", signatureSecret }),
      vonageStatus({ url: "/hooks", headers: {}, body: new URLSearchParams(fields).toString(), signatureSecret }),
      vonageStatus({ url: "/hooks", headers: json, body: JSON.stringify(fields), signatureSecret }),
      // The host's own query is none of Vonage's.
      vonageStatus({ url: "/hooks?tenant=acme", headers: {}, body: new URLSearchParams(fields).toString(), signatureSecret }),
      vonageStatus({ url: "/hooks?tenant=acme&status=failed", headers: json, body: JSON.stringify(fields), signatureSecret }),
    ];
    expect(statuses.map(({ isSigned, receipt }) => [isSigned, receipt?.kind])).toEqual(Array(5).fill([true, "delivered"]));
    await notifications.receipts.record(statuses[0]?.receipt ?? { kind: "deferred" });
    expect(await deliveryOf()).toMatchObject({ status: "delivered" });
  });

  it("tells a number that is gone from one that is out of reach, and waits while nothing is known", () => {
    const read = (status: string, code: string) =>
      vonageStatus({
        ...{ signatureSecret, url: "/", headers: {} },
        body: new URLSearchParams(signed({ status, "err-code": code, "client-ref": "x", msisdn: "49" })).toString(),
      });
    expect(read("failed", "3").receipt).toMatchObject({ kind: "hard_bounce", address: "+49", detail: "failed 3" });
    expect(read("failed", "2").receipt).toMatchObject({ kind: "soft_bounce" });
    expect(read("accepted", "0")).toEqual({ isSigned: true, receipt: null });
  });

  it("that is not signed is none, whatever it is made of", () => {
    const json = { "content-type": "application/json" };
    for (const body of ["", "status=delivered&sig=00", "{", "[]", "null", '{"sig": {}}']) {
      expect(vonageStatus({ url: "/", headers: json, body, signatureSecret })).toEqual({ isSigned: false, receipt: null });
    }
  });
});
