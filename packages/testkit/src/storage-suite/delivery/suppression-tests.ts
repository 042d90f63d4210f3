import type { Suppression } from "@belfry/core";
import type { SuppressionChange } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import { expectAllDifferent, type Full } from "../full.ts";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { eraseAll, exportAll, sweepAll } from "../steps.ts";
import { claim, createSend, deliveriesOf } from "./send-entries.ts";

const NO_NOTIFICATION = "00000000-0000-0000-0000-000000000000";

/** The promises of keeping suppressed addresses. */
export function suppressionTests(harness: StorageHarness): void {
  describe("suppressions", () => {
    const fixture = useFixture(harness);
    const storage = () => fixture.storage.suppressions;
    const about = (address: string, channel = "email") => {
      return { channel, address, tenant: fixture.tenant, notificationId: NO_NOTIFICATION };
    };
    const suppress = (address: string, more: Partial<Suppression> = {}): SuppressionChange => ({
      ...about(address, more.channel),
      ...{ kind: "suppress", reason: more.reason ?? "manual", actor: more.actor ?? "host", detail: more.detail ?? null },
    });
    const count = (address: string, deliveryId: string, { most = 2, since = 0 } = {}): SuppressionChange => ({
      ...about(address),
      ...{ kind: "count", deliveryId, since: at(since), most, reason: "soft_bounces", actor: "ses", detail: "full" },
    });
    const change = (changes: readonly SuppressionChange[], second = 1) => storage().change(changes, at(second));
    const of = async (...addresses: readonly string[]) =>
      (
        await storage().of(
          fixture.tenant,
          addresses.map((address) => ({ channel: "email", address })),
        )
      ).map(({ address }) => address);
    const lines = async () =>
      (await fixture.storage.deliveries.listAudit(fixture.tenant, { limit: 100 })).map((line) => [line.action, line.actor]);
    const everything = { prefix: "", channel: null, reason: null, after: null, limit: 100 };
    const listed = async (range: Partial<typeof everything> | object) =>
      (await storage().list(fixture.tenant, { ...everything, ...range })).map(({ address }) => address);

    test("a suppression comes back with every field, and stays as it was when it is written again", async () => {
      const suppression: Full<Suppression> = {
        ...{ channel: "full channel", address: "ann@full.example", reason: "hard_bounce", actor: "full actor", detail: "550 “no” user" },
        createdAt: at(1),
      };
      expectAllDifferent(suppression);
      const { createdAt: _, ...given } = suppression;
      await change([suppress(given.address, given)]);
      await change([suppress(given.address, { channel: given.channel, reason: "complaint" })], 5);
      expect(await storage().of(fixture.tenant, [given])).toEqual([suppression]);
      expect(await storage().list(fixture.tenant, everything)).toEqual([{ ...suppression, key: expect.any(String) }]);
      expect(await lines()).toEqual([["suppressed", "full actor"]]);
    });

    test("addresses that look alike, other channels and other tenants are told apart", async () => {
      await change(LOOKALIKES.map((address) => suppress(address)));
      expect((await of(...LOOKALIKES)).toSorted()).toEqual([...LOOKALIKES].toSorted());
      await change([{ ...about(LOOKALIKES[0] ?? ""), kind: "lift", actor: "ann" }]);
      expect((await of(...LOOKALIKES)).toSorted()).toEqual(LOOKALIKES.slice(1).toSorted());
      const place = { channel: "email", address: LOOKALIKES[1] ?? "" };
      expect(await storage().of(`${fixture.tenant} too`, [place])).toEqual([]);
      expect(await storage().of(fixture.tenant, [{ ...place, channel: "sms" }])).toEqual([]);
      expect(await storage().of(fixture.tenant, [])).toEqual([]);
    });

    test("tenants that have any suppressed address are told from those that have none, or none any more", async () => {
      const [{ tenant }, other] = [fixture, `${fixture.tenant} too`];
      const some = (...tenants: readonly string[]) => storage().tenantsWithSome(tenants);
      expect(await some(tenant, other)).toEqual([]);
      await change([{ ...suppress("ann@x.example"), tenant: other }]);
      expect([await some(tenant, other), await some(tenant), await some()]).toEqual([[other], [], []]);
      await change([suppress("ann@x.example"), suppress("bob@x.example")]);
      expect((await some(other, tenant)).toSorted()).toEqual([tenant, other].toSorted());
      await change([{ ...about("ann@x.example"), tenant: other, kind: "lift", actor: "ann" }]);
      expect(await some(tenant, other)).toEqual([tenant]);
    });

    test("a claim says whether the tenants of its deliveries have any suppressed address", async () => {
      const owner = `${fixture.tenant} worker`;
      await change([{ ...suppress("ann@x.example"), tenant: `${fixture.tenant} too` }]);
      const claimed = async () => {
        await createSend(fixture, { channel: "email", to: ["a"] });
        await createSend(fixture, { channel: "email", to: ["a", "b"] });
        return (await claim(fixture, new Date(Date.UTC(2100, 0, 1)), { owner })).map(({ hasSuppressed }) => hasSuppressed);
      };
      expect(await claimed()).toEqual([false, false, false]);
      await change([suppress("bob@x.example", { channel: "sms" })]);
      expect(await claimed()).toEqual([true, true, true]);
      const leased = await deliveriesOf(fixture).leases.leasedTo(owner);
      expect(leased.map(({ hasSuppressed }) => hasSuppressed)).toEqual(Array.from({ length: 6 }, () => true));
      await change([{ ...about("bob@x.example", "sms"), kind: "lift", actor: "ann" }]);
      expect(await claimed()).toEqual([false, false, false]);
    });

    test("lifting is noted once, of whoever lifts at once, and an address that is not suppressed cannot be lifted", async () => {
      await change([suppress("ann@x.example")]);
      const lift = (actor: string): SuppressionChange => ({ ...about("ann@x.example"), kind: "lift", actor });
      await Promise.all(range(0, 5).map(() => change([lift("ann")])));
      await change([lift("bob")]);
      expect(await of("ann@x.example")).toEqual([]);
      expect((await lines()).toReversed()).toEqual([
        ["suppressed", "host"],
        ["lifted", "ann"],
      ]);
    });

    test("deliveries that bounced for now are counted once each, within their time, until one arrives", async () => {
      const [first, second, third] = [fixture.nextId(), fixture.nextId(), fixture.nextId()];
      await change([count("ann@x.example", first)], 1);
      await change([count("ann@x.example", first)], 2);
      expect(await of("ann@x.example")).toEqual([]);
      await change([{ ...about("ann@x.example"), kind: "arrived" }], 3);
      await change([count("ann@x.example", second)], 4);
      await change([count("ann@x.example", third, { since: 5 })], 10);
      expect(await of("ann@x.example")).toEqual([]);
      await change([count("ann@x.example", first, { since: 5 })], 11);
      expect(await storage().of(fixture.tenant, [{ channel: "email", address: "ann@x.example" }])).toMatchObject([
        { reason: "soft_bounces", actor: "ses", detail: "full", createdAt: at(11) },
      ]);
      expect(await lines()).toEqual([["suppressed", "ses"]]);
    });

    test("of bounces that are counted at once none is lost", async () => {
      await Promise.all(range(1, 8).map(() => change([count("ann@x.example", fixture.nextId(), { most: 8 })])));
      expect(await of("ann@x.example")).toEqual(["ann@x.example"]);
    });

    test("a list is by address, in pages, and narrowed by prefix, channel and reason", async () => {
      const addresses = ["ann@x.example", "anna@x.example", "bob@x.example", "Zoe@x.example", "ä@x.example"];
      await change(addresses.map((address) => suppress(address)));
      await change([suppress("bob@x.example", { channel: "sms", reason: "complaint" })]);
      const pages: string[] = [];
      for (let after: string | null = null; ; ) {
        const page: Awaited<ReturnType<ReturnType<typeof storage>["list"]>> = await storage().list(fixture.tenant, {
          ...everything,
          after,
          limit: 2,
        });
        pages.push(...page.map(({ address }) => address));
        if (page.length < 2) {
          break;
        }
        after = page.at(-1)?.key ?? null;
      }
      expect(pages).toEqual(["Zoe@x.example", "ann@x.example", "anna@x.example", "bob@x.example", "bob@x.example", "ä@x.example"]);
      expect(await listed({ prefix: "ann" })).toEqual(["ann@x.example", "anna@x.example"]);
      expect(await listed({ prefix: "ann%" })).toEqual([]);
      expect(await listed({ channel: "sms" })).toEqual(["bob@x.example"]);
      expect(await listed({ reason: "complaint", channel: "email" })).toEqual([]);
      expect(await storage().list(`${fixture.tenant} too`, everything)).toEqual([]);
    });

    test("an erased address stays suppressed, and its text is gone", async () => {
      await change([suppress("ann@x.example", { detail: "ann@x.example is no user" }), suppress("bob@x.example")]);
      await change([suppress("ann@x.example", { channel: "sms" })]);
      const exported = await exportAll((after) =>
        storage().export(fixture.tenant, ["ann@x.example", "cat@x.example"], { after, limit: 1 }),
      );
      expect(
        exported
          .flat()
          .map(({ channel }) => channel)
          .toSorted(),
      ).toEqual(["email", "sms"]);
      expect(await eraseAll(() => storage().erase(fixture.tenant, ["ann@x.example", "cat@x.example"], 1))).toBe(2);
      expect((await of("ann@x.example", "bob@x.example")).toSorted()).toEqual(["ann@x.example", "bob@x.example"]);
      expect(JSON.stringify(await storage().list(fixture.tenant, everything))).not.toContain("ann@x.example");
      await change([{ ...about("ann@x.example"), kind: "lift", actor: "host" }]);
      expect(await of("ann@x.example", "bob@x.example")).toEqual(["bob@x.example"]);
    });

    test("old bounces are swept, and newer ones still count", async () => {
      await change([count("ann@x.example", fixture.nextId())], 1);
      await change([count("bob@x.example", fixture.nextId())], 8);
      await sweepAll((after) => storage().sweep(at(5), { after, limit: 1 }));
      await change([count("ann@x.example", fixture.nextId()), count("bob@x.example", fixture.nextId())], 9);
      expect(await of("ann@x.example", "bob@x.example")).toEqual(["bob@x.example"]);
    });
  });
}
