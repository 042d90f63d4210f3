import type { NewDevice } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import { expectAllDifferent, type Full } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { eraseAll, exportAll } from "../steps.ts";

const KEYS = { p256dh: "a public key", auth: "a secret" };

/** The promises of keeping devices. */
export function devicesTests(harness: StorageHarness): void {
  describe("devices", () => {
    const fixture = useFixture(harness);
    const devices = () => fixture.storage.devices;
    const newDevice = (token: string, more: Partial<NewDevice> = {}): NewDevice => ({
      ...{ id: fixture.nextId(), platform: "fcm", token, keys: null, app: null, name: null },
      ...more,
    });
    const register = (userId: string, device: NewDevice, { second = 1, replaces = null as string | null, most = 20 } = {}) =>
      devices().register(fixture.owner(userId), device, { at: at(second), replaces, most });
    const tokensOf = async (...users: readonly string[]) => (await devices().of(fixture.tenant, users)).map(({ token }) => token);

    test("a device comes back with every field as it was registered", async () => {
      const device: Full<NewDevice> = {
        ...{ id: fixture.nextId(), platform: "web", token: `https://push.example/${"x".repeat(2_000)}` },
        ...{ keys: KEYS, app: "com.example", name: "Ann's “laptop”" },
      };
      expectAllDifferent(device);
      const registered = { ...device, userId: "ann", createdAt: at(1), seenAt: at(1) };
      expect(await register("ann", device)).toEqual(registered);
      expect(await devices().of(fixture.tenant, ["ann"])).toEqual([registered]);
      const plain = newDevice("token");
      expect(await register("bob", plain)).toEqual({ ...plain, userId: "bob", createdAt: at(1), seenAt: at(1) });
    });

    test("the same token again is the same device, seen later, with what is said of it now", async () => {
      const first = await register("ann", newDevice("token", { name: "Old", app: "app" }));
      const again = await register("ann", newDevice("token", { name: "New" }), { second: 5 });
      expect(again).toEqual({ ...first, name: "New", app: null, seenAt: at(5) });
      await register("ann", newDevice("token", { platform: "apns" }));
      expect((await devices().of(fixture.tenant, ["ann"])).map(({ platform }) => platform)).toEqual(["fcm", "apns"]);
    });

    test("a token that moves to another user leaves the former, within its tenant", async () => {
      const owner = { tenant: `${fixture.tenant} too`, userId: "cat" };
      const elsewhere = await devices().register(owner, newDevice("token"), { at: at(1), replaces: null, most: 20 });
      const first = await register("ann", newDevice("token"));
      const moved = await register("bob", newDevice("token"), { second: 3 });
      expect(moved).toMatchObject({ userId: "bob", createdAt: at(3) });
      expect(moved.id).not.toBe(first.id);
      expect(await tokensOf("ann")).toEqual([]);
      expect(await devices().remove(fixture.owner("ann"), moved.id)).toBe(false);
      expect(await devices().of(owner.tenant, ["cat"])).toEqual([elsewhere]);
    });

    test("a device that has a new token stays the same device, and nobody else's is replaced", async () => {
      const first = await register("ann", newDevice("old"));
      const others = await register("bob", newDevice("bob's"));
      const renewed = await register("ann", newDevice("new", { platform: "web", keys: KEYS }), { second: 2, replaces: first.id });
      expect(renewed).toEqual({ ...first, platform: "web", token: "new", keys: KEYS, seenAt: at(2) });
      const other = await register("ann", newDevice("other"), { replaces: others.id });
      expect(await tokensOf("ann", "bob")).toEqual(["new", "other", "bob's"]);
      await register("ann", newDevice("other"), { replaces: first.id });
      await register("ann", newDevice("bob's"), { replaces: first.id });
      expect((await devices().of(fixture.tenant, ["ann", "bob"])).map(({ id, token }) => [id, token])).toEqual([[first.id, "bob's"]]);
      expect(await devices().remove(fixture.owner("ann"), other.id)).toBe(false);
    });

    test("beyond the limit, those that were seen longest ago go, whoever registers at once", async () => {
      for (const index of range(0, 4)) {
        await register("ann", newDevice(`token ${index}`), { second: index });
      }
      await register("ann", newDevice("token 0"), { second: 10 });
      await register("ann", newDevice("of an earlier clock"), { second: 0, most: 4 });
      expect(await tokensOf("ann")).toEqual(["token 0", "token 3", "token 4", "of an earlier clock"]);
      await Promise.all(range(0, 9).map((index) => register("ann", newDevice(`at once ${index}`), { second: 20, most: 4 })));
      expect(await tokensOf("ann")).toHaveLength(4);
    });

    test("a device that is gone goes, unless its token has changed since", async () => {
      const first = await register("ann", newDevice("token"));
      expect(await devices().removeGone(fixture.tenant, { id: first.id, token: "other" })).toBe(false);
      expect(await devices().removeGone(`${fixture.tenant} too`, first)).toBe(false);
      expect(await devices().removeGone(fixture.tenant, first)).toBe(true);
      expect(await devices().removeGone(fixture.tenant, first)).toBe(false);
      expect(await tokensOf("ann")).toEqual([]);
    });

    test("users whose names look alike have devices of their own, which are read together", async () => {
      for (const userId of LOOKALIKES) {
        await register(userId, newDevice(`of ${userId}`));
      }
      const [some = ""] = LOOKALIKES;
      expect(new Set(await tokensOf(...LOOKALIKES))).toEqual(new Set(LOOKALIKES.map((userId) => `of ${userId}`)));
      expect(await tokensOf(some)).toEqual([`of ${some}`]);
      expect(await tokensOf()).toEqual([]);
    });

    test("a user's devices are exported without their tokens, and erased in steps, and nobody else's", async () => {
      for (const index of range(0, 6)) {
        await register("ann", newDevice(`the token ${index}`));
      }
      await register("bob", newDevice("bob's"));
      const ann = fixture.owner("ann");
      const pages = await exportAll((after) => devices().export(ann, { after, limit: 3 }));
      expect(pages.flat().map(({ tokenEnd }) => tokenEnd)).toEqual(range(0, 6).map((index) => ` ${index}`));
      expect(JSON.stringify(pages)).not.toContain("the token");
      expect(await eraseAll(() => devices().erase(ann, 3))).toBe(7);
      expect(await tokensOf("ann", "bob")).toEqual(["bob's"]);
    });
  });
}
