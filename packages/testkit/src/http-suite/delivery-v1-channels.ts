import { deliveryV1 } from "@belfry/core/contracts";
import { describe, expect, test } from "vitest";
import { ask } from "./client.ts";
import type { HttpHarness } from "./harness.ts";
import { scriptedChannels } from "./scripted-channels.ts";
import { API_KEY, useSetting } from "./setting.ts";

const V1 = "/api/v1/notifications";
const ROOM = "550e8400-e29b-41d4-a716-4466554400cc";

interface Sent {
  readonly id: string;
  readonly status: string;
}

/** Tests that `delivery-v1` reaches channels that its document does not name. */
export function deliveryV1ChannelsSuite(harness: HttpHarness): void {
  describe("delivery-v1 over other channels", () => {
    const { email, sms, push } = scriptedChannels();
    const setting = useSetting(harness, { contracts: [deliveryV1()] }, {}, { channels: [email, sms, push] });
    const headers = { "x-api-key": API_KEY };
    const get = (path: string) => ask(`${setting.url}${V1}${path}`, { headers });
    const post = (json: object) => ask(`${setting.url}${V1}/`, { method: "POST", headers, json });
    const data = ({ body }: { readonly body: unknown }) => (body as { readonly data: Sent }).data;
    const error = ({ status, body }: { readonly status: number; readonly body: unknown }) => [
      status,
      (body as { readonly error?: { readonly code: string } }).error?.code,
    ];

    async function settled(json: object): Promise<Sent> {
      const created = await post({ content: "x", room_id: ROOM, ...json });
      expect(created.status).toBe(201);
      const { id } = data(created);
      await expect.poll(async () => data(await get(`/${id}`)).status, { timeout: 30_000, interval: 10 }).not.toBe("pending");
      return data(await get(`/${id}`));
    }

    test("each is reached by its name: addresses, and users as the host knows them", async () => {
      const sent = await settled({ type: "sms", recipients: ["+4930123456"], email_fallback: true });
      expect(sent).toMatchObject({ type: "sms", status: "delivered", recipients: ["+4930123456"], email_fallback: true });
      expect((await get(`/${sent.id}/deliveries`)).body).toMatchObject({ data: [{ type: "sms", recipient: "+4930123456" }] });
      const { devices } = setting.service.tenant("acme");
      for (const token of ["phone-1", "phone-2"]) {
        await devices.register("phones", { platform: "fcm", token });
      }
      expect(await settled({ type: "push", recipients: ["phones"] })).toMatchObject({ type: "push", status: "delivered" });
      // The send is delivered as soon as one of the user's devices has it.
      const phones = () => push.tasks.map(({ address }) => /phone-\d/.exec(address)?.[0]).sort();
      await expect.poll(phones, { timeout: 30_000, interval: 10 }).toEqual(["phone-1", "phone-2"]);
      expect((await settled({ type: "push", recipients: ["without-devices"] })).status).toBe("cancelled");
      const page = await get(`/?room_id=${ROOM}&type=sms`);
      expect(page.body).toMatchObject({ data: [{ id: sent.id }], pagination: { total: 1 } });
      const analytics = await get(`/analytics?room_id=${ROOM}`);
      expect(analytics.body).toMatchObject({ data: { by_type: { email: 0, webhook: 0, websocket: 0, sms: 1, push: 2 } } });
    });

    test.each(["030123456", "no-number"])("what is neither an address nor a known user is refused: %s", async (recipient) => {
      const refused = await post({ type: "sms", recipients: [recipient, "+4930123456"], content: "x" });
      expect(error(refused)).toEqual([422, "INVALID_RECIPIENTS"]);
      const message = expect.stringMatching(new RegExp(`"${recipient}" is no number.*; sms takes numbers that begin with a \\+`));
      expect(refused.body).toMatchObject({ error: { message, details: { invalid: [recipient], valid: ["+4930123456"] } } });
    });

    test.each(["fax", "inbox", "constructor", "", "x".repeat(256)])("a type that is no channel is refused: %s", async (type) => {
      const answers = [
        await post({ type, recipients: ["ann@example.com"], content: "x" }),
        await get(`/?type=${type}`),
        await get(`/analytics?type=${type}`),
      ];
      expect(answers.map(error)).toEqual(Array(3).fill([422, "VALIDATION_ERROR"]));
    });

    test("the refusal names the types that there are", async () => {
      expect((await post({ type: "fax", recipients: ["1"], content: "x" })).body).toMatchObject({
        error: { message: "type: Input should be one of 'email', 'websocket', 'webhook', 'sms', 'push'" },
      });
      // One of the document's, for which the service has no channel.
      expect(error(await post({ type: "webhook", recipients: ["https://x.example"], content: "x" }))).toEqual([
        409,
        "CHANNEL_NOT_CONFIGURED",
      ]);
    });
  });
}
