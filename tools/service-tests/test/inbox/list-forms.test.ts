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

  test("a list answers what it was asked, whatever becomes of the input, and however it is frozen", async () => {
    const notifications = stopsAfterTest(new NotificationService({ storage: database.storage() }));
    const inbox = notifications.inbox("ann");
    // The storage is not open yet, so the page is read later.
    const input: { limit: number } = { limit: 1 };
    const first = inbox.list(input);
    input.limit = 10_000;
    expect((await first).items).toEqual([]);
    await notifications.create({ to: "ann", type: "a", title: "First" });
    await notifications.create({ to: "ann", type: "b", title: "Second" });
    const types = ["a"];
    const frozen = Object.freeze({ types });
    const titles = async () => (await inbox.list(frozen)).items.map(({ title }) => title);
    for (const _ of [1, 2, 3]) {
      expect(await titles()).toEqual(["First"]);
    }
    types[0] = "b";
    expect(await titles()).toEqual(["Second"]);
    // What is kept for a question is what that question was answered.
    const before = titles();
    types[0] = "a";
    expect([await before, await titles()]).toEqual([["Second"], ["First"]]);
    types[0] = "b";
    expect(await titles()).toEqual(["Second"]);
    class Read {
      readonly types = types;
      get status() {
        return "read" as const;
      }
    }
    expect((await inbox.list(new Read())).items).toEqual([]);
    let limit = 1;
    const asking = Object.freeze({
      get limit() {
        return limit;
      },
    });
    for (limit of [1, 2]) {
      expect((await inbox.list(asking)).items).toHaveLength(limit);
    }
    types.pop();
    await expect(titles()).rejects.toThrow("types: must be a list of 1 to 100, has 0");
    const page = Object.freeze({ limit: 1, locale: "de" });
    for (const _ of [1, 2, 3]) {
      expect((await inbox.list(page)).items).toMatchObject([{ title: "Second" }]);
      expect(() => inbox.listStored(page)).toThrow('got "locale"');
    }
  });
});
