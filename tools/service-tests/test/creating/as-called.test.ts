import { defineTypes, NotificationService } from "@belfry/core";
import { recorder } from "@belfry/testkit/host";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { onEveryStorage } from "../on-every-storage.ts";
import { silent } from "../silent.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

const types = defineTypes({
  plain: {},
  rendered: { title: ({ data }) => `About ${JSON.stringify(data)}` },
  looked: { data: z.object({ tags: z.array(z.string()) }).refine(async () => true) },
  mailed: { channels: ["inbox", "email"] },
});

const FEW = ["ann", "bob", "cid"];
/** So many are looked at in pieces. */
const MANY = [...Array.from({ length: 5_998 }, (_, index) => `user_${index}`), ...FEW];

onEveryStorage((database) => {
  function serviceOn() {
    const directory = (ids: readonly string[]) => new Map(ids.map((id) => [id, { email: `${id}@example.com` }]));
    const options = { storage: database.storage(), channels: [recorder()], types, directory, logger: silent };
    return stopsAfterTest(new NotificationService(options));
  }

  describe("a create is what its call said, whatever the caller does with its objects meanwhile", () => {
    const calls = [
      ...Object.keys(types).map((type) => ({ type, whom: "three users", audience: { to: [...FEW], except: ["bob"] } })),
      ...["plain", "rendered", "looked"].map((type) => ({
        type,
        whom: "a long list of users",
        audience: { to: [...MANY], except: ["bob"] },
      })),
      ...["plain", "mailed"].map((type) => ({ type, whom: "a topic", audience: { topic: ["news"], except: ["bob"] } })),
      { type: "plain", whom: "everyone", audience: { to: "everyone", except: ["bob"] } },
    ];

    test.each(calls)("of the type $type to $whom", async ({ type, audience }) => {
      const service = serviceOn();
      await Promise.all(FEW.map((userId) => service.topics.subscribe("news", userId)));
      const input = {
        type,
        ...audience,
        message: "Said",
        url: "/said",
        data: { tags: ["said"] },
        roomId: "said",
        actions: [{ label: "Said", url: "/said" }],
        expiresAt: new Date("2100-01-01"),
      };
      const creating = service.create(input as { readonly type: "plain"; readonly to: readonly string[] });
      input.except.splice(0, 1, "ann");
      for (const list of Object.values(audience)) {
        if (Array.isArray(list) && list !== input.except) {
          list.length = 0;
        }
      }
      input.message = "Not said";
      input.url = "/not-said";
      input.data.tags.push("more");
      input.roomId = "another";
      input.actions.pop();
      input.expiresAt.setTime(0);
      await creating;
      await service.runDue();
      const ofAll = await Promise.all(FEW.map((userId) => service.inbox(userId).list()));
      expect(ofAll.map(({ items }) => items.length)).toEqual([1, 0, 1]);
      const [{ items } = { items: [] }] = ofAll;
      expect(items).toMatchObject([
        {
          ...{ message: "Said", url: "/said", data: { tags: ["said"], room_id: "said" } },
          ...{ actions: [{ label: "Said", url: "/said" }], expiresAt: new Date("2100-01-01") },
        },
      ]);
    });
  });
});
