import type { Identity, JsonObject } from "@belfry/core";
import { describe, expect, test } from "vitest";
import { at } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { useHub } from "./hub-fixture.ts";

/** The promises of keeping identities. */
export function identityTests(harness: StorageHarness): void {
  describe("identities", () => {
    const fixture = useHub(harness);
    const all = { limit: 100, offset: 0 };
    const list = (query: Partial<Parameters<typeof fixture.hub.listIdentities>[1]> = {}) =>
      fixture.hub.listIdentities(fixture.tenant, { ...all, ...query });

    test("a new one is stored unchanged, and found by its id and by its id in the source", async () => {
      const identity = fixture.newIdentity({
        sourceId: "a/b %2F@x.example",
        metadata: JSON.parse('{"z":1,"a":{"__proto__":2}}') as JsonObject,
      });
      expect(await fixture.hub.upsertIdentity(identity)).toEqual({ identity, isNew: true });
      const { tenant, hub } = fixture;
      const found = [
        await hub.findIdentity(tenant, identity.id),
        await hub.findIdentity(tenant, identity.id.toUpperCase()),
        await hub.findIdentityBySource(tenant, "mail", identity.sourceId),
        (await list()).items[0],
      ];
      for (const one of found) {
        expect(one).toEqual(identity);
        expect(JSON.stringify(one?.metadata)).toBe(JSON.stringify(identity.metadata));
      }
    });

    test("an unknown one, or another tenant's, is null", async () => {
      const { id, sourceId } = await fixture.createIdentity();
      const { tenant, hub } = fixture;
      expect(
        await Promise.all([
          hub.findIdentity("another", id),
          hub.findIdentity(tenant, "unknown"),
          hub.findIdentity(tenant, crypto.randomUUID()),
          hub.findIdentityBySource("another", "mail", sourceId),
          hub.findIdentityBySource(tenant, "chat", sourceId),
          hub.findIdentityBySource(tenant, "mail", "u2"),
        ]),
      ).toEqual([null, null, null, null, null, null]);
    });

    test("an existing one takes the new name, metadata and time of change, and keeps its id and creation time", async () => {
      const first = await fixture.createIdentity();
      const again = fixture.newIdentity({ name: "Ann Lee", metadata: { b: [2] } });
      const expected: Identity = { ...again, id: first.id, createdAt: first.createdAt };
      expect(await fixture.hub.upsertIdentity(again)).toEqual({ identity: expected, isNew: false });
      expect((await list()).items).toEqual([expected]);
      expect(await fixture.hub.findIdentity(fixture.tenant, again.id)).toBeNull();
    });

    test("a deleted one is gone, its sender's events stay without it, and it can be created again", async () => {
      const { tenant, hub } = fixture;
      const identity = await fixture.createIdentity();
      for (const [of, id] of [
        ["another", identity.id],
        [tenant, "unknown"],
        [tenant, crypto.randomUUID()],
      ] as const) {
        expect(await hub.deleteIdentity(of, id)).toBe(false);
      }
      const event = await fixture.createEvent({ source: identity.source, sender: identity.sourceId });
      expect((await hub.findEvents(tenant, [event.id]))[0]?.identity).toEqual({ id: identity.id, name: identity.name });
      expect([await hub.deleteIdentity(tenant, identity.id.toUpperCase()), await hub.deleteIdentity(tenant, identity.id)]).toEqual([
        true,
        false,
      ]);
      expect(await hub.findIdentity(tenant, identity.id)).toBeNull();
      expect(await hub.findIdentityBySource(tenant, identity.source, identity.sourceId)).toBeNull();
      expect((await hub.findEvents(tenant, [event.id]))[0]?.identity).toBeNull();
      expect(await hub.upsertIdentity(identity)).toEqual({ identity, isNew: true });
    });

    test("metadata that is null is kept, and empty where there was none", async () => {
      const { hub } = fixture;
      const first = fixture.newIdentity();
      expect((await hub.upsertIdentity({ ...first, metadata: null })).identity).toEqual({ ...first, metadata: {} });
      await hub.upsertIdentity({ ...first, metadata: { a: [1] } });
      const kept = await hub.upsertIdentity({ ...first, metadata: null, name: "Ann Lee", updatedAt: at(9_999) });
      expect(kept).toEqual({ identity: { ...first, metadata: { a: [1] }, name: "Ann Lee", updatedAt: at(9_999) }, isNew: false });
      expect((await hub.upsertIdentity({ ...first, metadata: {} })).identity.metadata).toEqual({});
    });

    test("lists are newest first, of one source too, with how many match wherever the page starts", async () => {
      const createdAt = fixture.newIdentity().createdAt;
      const made: Identity[] = [];
      for (let index = 0; index < 5; index += 1) {
        const source = index % 2 === 0 ? "mail" : "chat";
        made.push(await fixture.createIdentity({ source, sourceId: `u${index}`, ...(index < 2 ? { createdAt } : {}) }));
      }
      await fixture.createIdentity({ tenant: `${fixture.tenant} (other)` });
      // A change does not make it newer.
      const [first] = made;
      await fixture.createIdentity({ source: "mail", sourceId: "u0", name: "Changed" });
      const names = async (query: Parameters<typeof list>[0]) => {
        const { items, total } = await list(query);
        return [items.map(({ sourceId }) => sourceId), total];
      };
      expect(await names({})).toEqual([["u4", "u3", "u2", "u1", "u0"], 5]);
      expect(await names({ limit: 2, offset: 3 })).toEqual([["u1", "u0"], 5]);
      expect(await names({ offset: 9 })).toEqual([[], 5]);
      expect(await names({ source: "mail" })).toEqual([["u4", "u2", "u0"], 3]);
      expect(await names({ source: "mail", limit: 1, offset: 1 })).toEqual([["u2"], 3]);
      expect(await names({ source: "none" })).toEqual([[], 0]);
      expect((await list()).items.at(-1)).toMatchObject({ id: first?.id, name: "Changed" });
    });

    const searches: readonly [name: string, searched: string, found: readonly string[]][] = [
      ["a part in any place", "nn", ["Ann Lee", "ANNA", "100% Ann_a"]],
      ["another case", "aNN l", ["Ann Lee"]],
      ["a per cent sign", "%", ["100% Ann_a", "%"]],
      ["an underscore", "_", ["100% Ann_a", "a_b"]],
      ["a backslash", "\\", ["back\\slash"]],
      ["an asterisk", "*", []],
      ["a quote", "'", ["O'Neil"]],
      ["a question mark", "?", []],
      ["letters outside of ASCII in small", "äöü", ["ÄÖÜSSERST"]],
      ["letters outside of ASCII in capitals", "ЖУК", ["жук 😀"]],
      ["a letter outside of the first plane", "😀", ["жук 😀"]],
      ["a sigma within a word and at its end", "ΚΟΣ", ["Κοστας"]],
      ["a whole word with a sigma at its end", "ΚΟΣΤΑΣ", ["Κοστας"]],
      ["something in no name", "nobody", []],
    ];

    test.each(searches)("by name: %s", async (_, searched, found) => {
      const names = ["Ann Lee", "ANNA", "100% Ann_a", "%", "a_b", "back\\slash", "O'Neil", "ÄÖÜSSERST", "жук 😀", "Κοστας"];
      for (const [index, name] of names.entries()) {
        await fixture.createIdentity({ name, sourceId: `u${index}` });
      }
      await fixture.createIdentity({ name: searched, tenant: `${fixture.tenant} (other)` });
      const { items, total } = await list({ name: searched });
      expect([items.map(({ name }) => name).toReversed(), total]).toEqual([found, found.length]);
      const first = await list({ name: searched, limit: 1 });
      expect([first.items.length, first.total]).toEqual([Math.min(1, found.length), found.length]);
    });

    test("they are found by name and source, and by an empty name, which is a part of every name", async () => {
      await fixture.createIdentity({ name: "Ann", source: "mail" });
      await fixture.createIdentity({ name: "Anna", source: "chat" });
      await fixture.createIdentity({ name: "", source: "chat", sourceId: "nameless" });
      expect(await list({ name: "ANN", source: "chat" })).toMatchObject({ items: [{ name: "Anna" }], total: 1 });
      expect((await list({ name: "" })).total).toBe(3);
    });

    test("a changed name is found by its new name alone", async () => {
      await fixture.createIdentity({ name: "Before" });
      await fixture.createIdentity({ name: "ÄFTER" });
      expect((await list({ name: "before" })).total).toBe(0);
      expect((await list({ name: "äfter" })).items).toMatchObject([{ name: "ÄFTER" }]);
    });
  });
}
