import { type InboxCounts, NotificationService } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { SignJWT } from "jose";
import { expect, test, vi } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const SECRET = "a secret that is long enough for HS256";

onEveryStorage((database) => {
  test("a state whose counts take long to read takes no client back behind an event that it got meanwhile", async () => {
    const answered = Promise.withResolvers<void>();
    const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
    const inboxes = Object.getPrototypeOf(notifications.inbox("ann")) as { counts(): Promise<InboxCounts> };
    const { counts } = inboxes;
    const asked = vi.spyOn(inboxes, "counts").mockImplementation(async function (this: typeof inboxes) {
      await answered.promise;
      return counts.call(this);
    });
    const handler = createHandler(notifications, { contracts: [native()], auth: { jwt: { secret: SECRET } } });
    const claims = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h");
    const authorization = `Bearer ${await claims.sign(new TextEncoder().encode(SECRET))}`;
    try {
      const { body } = await handler.fetch(
        new Request("http://localhost/api/belfry/v1/inbox/stream?since=nonsense", { headers: { authorization } }),
      );
      const reader = (body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const until = async (part: string) => {
        while (!text.includes(part)) {
          text += (await reader.read()).value ?? "";
        }
      };
      await vi.waitFor(() => expect(asked).toHaveBeenCalledOnce(), { timeout: 20_000 });
      await notifications.create({ to: "ann", title: "Meanwhile" });
      await until('"created"');
      answered.resolve();
      await until('"state"');
      const ids = [...text.matchAll(/^id: ?(.*)$/gm)].map(([, id = ""]) => id.split(":").slice(1).join(":"));
      expect(ids).toEqual(["1:0", "1:0"]);
      expect(text).toMatch(/"recovered":false,"position":"\w+:1:0"/);
      await reader.cancel();
    } finally {
      answered.resolve();
      asked.mockRestore();
      handler.close();
    }
  });
});
