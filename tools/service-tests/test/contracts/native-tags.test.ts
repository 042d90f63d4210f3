import { defineTypes, NotificationService } from "@belfry/core";
import { native } from "@belfry/core/contracts";
import { createHandler } from "@belfry/core/http";
import { SignJWT } from "jose";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const SECRET = "a secret that is long enough for HS256";
const SOCIAL = `filter=${encodeURIComponent(JSON.stringify({ categories: ["social"] }))}`;

onEveryStorage((database) => {
  test("the tag of an answer by categories goes once a type has another category", async () => {
    const claims = new SignJWT({}).setProtectedHeader({ alg: "HS256" }).setSubject("ann").setExpirationTime("1h");
    const authorization = `Bearer ${await claims.sign(new TextEncoder().encode(SECRET))}`;
    const before = stopsAfterTest(new NotificationService({ storage: database.storage(), types: defineTypes({ note: {} }) }));
    await before.create({ to: "ann", type: "note", title: "Hello" });
    const ask = async (service: unknown, headers: Readonly<Record<string, string>>) => {
      const handler = createHandler(service as NotificationService, { contracts: [native()], auth: { jwt: { secret: SECRET } } });
      const answer = await handler.fetch(
        new Request(`http://localhost/api/belfry/v1/inbox?${SOCIAL}`, { headers: { authorization, ...headers } }),
      );
      handler.close();
      const { items = null } = answer.status === 200 ? ((await answer.json()) as { readonly items?: readonly unknown[] }) : {};
      return { status: answer.status, etag: answer.headers.get("etag") ?? "", count: items?.length };
    };
    const { etag, ...answered } = await ask(before, {});
    expect(answered).toEqual({ status: 200, count: 0 });
    expect(await ask(before, { "if-none-match": etag })).toMatchObject({ status: 304 });
    await before.stop();
    const types = defineTypes({ note: { category: "social" } });
    const after = stopsAfterTest(new NotificationService({ storage: database.storage(), types }));
    expect(await ask(after, { "if-none-match": etag })).toMatchObject({ status: 200, count: 1 });
  });
});
