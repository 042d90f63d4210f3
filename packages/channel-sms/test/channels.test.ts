import { providerSuite } from "@belfry/testkit";
import { providerServer } from "@belfry/testkit/host";
import { sns, twilio, vonage } from "../src/index.ts";

const secret = "a-secret-of-the-host";
const recipient = () => "+4930123456";
const invalidRecipients = ["ann", "030123456", "4930123456", "+49 30 123456", "+49\n30123456", "https://example.com/"];

providerSuite("twilio", {
  start: () => providerServer("twilio"),
  channel: ({ url }, timeoutMs) =>
    twilio({ accountSid: `AC${"0".repeat(32)}`, authToken: secret, from: "+15005550006", api: url, allowPrivate: true, timeoutMs }),
  ...{ recipient, invalidRecipients, secrets: [secret] },
});

providerSuite("vonage", {
  start: () => providerServer("vonage"),
  channel: ({ url }, timeoutMs) =>
    vonage({ apiKey: "abcd1234", apiSecret: secret, from: "TheShop", api: url, allowPrivate: true, timeoutMs }),
  ...{ recipient, invalidRecipients, secrets: [secret] },
});

providerSuite("sns", {
  start: () => providerServer("sns"),
  channel: ({ url }, timeoutMs) => {
    const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: secret, sessionToken: `${secret}-too` };
    return sns({ region: "eu-central-1", credentials, api: url, allowPrivate: true, timeoutMs });
  },
  ...{ recipient, invalidRecipients, secrets: [secret] },
});
