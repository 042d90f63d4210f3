import { NotificationService } from "@belfry/core";
import { expect, test } from "vitest";
import { onEveryStorage } from "../on-every-storage.ts";
import { stopsAfterTest } from "../stops-after-test.ts";

onEveryStorage((database) => {
  test("a form of the host's gets what it made, however it is called, and so does the list", async () => {
    const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
    await notifications.create({ to: "ann", title: "First" });
    const inbox = notifications.inbox("ann");
    const countOf = (name: string) => ({ name, make: ({ items }: { items: readonly unknown[] }) => items.length, bytesOf: () => 8 });
    // What is asked twice is kept.
    for (const _ of [1, 2, 3]) {
      expect((await inbox.list()).items).toMatchObject([{ title: "First" }]);
      expect(await inbox.listAs(countOf("items"))).toBe(1);
    }
    expect(() => inbox.listAs(countOf(""))).toThrow("name: must not be empty");
  });
});
