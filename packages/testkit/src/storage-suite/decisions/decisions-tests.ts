import type { Choice, Settings, TenantChoice } from "@belfry/core/storage";
import { describe, expect, test } from "vitest";
import { at, range, useFixture } from "../fixture.ts";
import type { StorageHarness } from "../harness.ts";
import { LOOKALIKES } from "../service/lookalikes.ts";
import { eraseAll, exportAll } from "../steps.ts";
import { throttleTests } from "./throttle-tests.ts";

const MOST = 1_000;

const SOCIAL: TenantChoice = { scope: "category", name: "social", channel: "email", value: "daily", when: null, isLocked: false };
const COMMENT: TenantChoice = { scope: "type", name: "comment", channel: null, value: "off", when: { author: "bob" }, isLocked: false };

const SETTINGS: Settings = {
  timeZone: "Europe/Berlin",
  quietHours: [{ from: "22:00", to: "07:00", days: ["mon"], channels: ["email"] }],
  pauseUntil: at(3),
  digest: { at: "18:30", weekday: "fri" },
};

const UNSET: Settings = { timeZone: null, quietHours: null, pauseUntil: null, digest: null };

/** A user's choice, which has no lock. */
function own({ isLocked: _, ...choice }: TenantChoice): Choice {
  return choice;
}

/** The promises of keeping choices and settings. */
export function decisionsTests(harness: StorageHarness): void {
  throttleTests(harness);
  describe("decisions", () => {
    const fixture = useFixture(harness);
    const decisions = () => fixture.storage.decisions;
    const ann = () => fixture.owner("ann");
    const everybody = () => ({ tenant: fixture.tenant, userId: null });

    /** A user's choices in the order of their names, and the settings. */
    async function preferencesOf(userId: string) {
      const found = (await decisions().preferencesOf(fixture.tenant, [userId])).users.get(userId);
      const choices = [...(found?.choices ?? [])].sort((left, right) => (left.name < right.name ? -1 : 1));
      return { choices, settings: found?.settings ?? null };
    }

    test("choices and settings come back as they were given, those of users beside those of the tenant", async () => {
      const locked: TenantChoice = { scope: "all", name: "", channel: "push", value: "off", when: null, isLocked: true };
      expect(await decisions().setChoice(ann(), SOCIAL, MOST)).toBe(true);
      expect(await decisions().setChoice(ann(), COMMENT, MOST)).toBe(true);
      expect(await decisions().setChoice(everybody(), locked, MOST)).toBe(true);
      await decisions().changeSettings(ann(), SETTINGS);
      await decisions().changeSettings(everybody(), { timeZone: "Asia/Tokyo" });
      await decisions().changeSettings(fixture.owner("bob"), { timeZone: "UTC" });
      const stored = await decisions().preferencesOf(fixture.tenant, ["ann", "bob", "cat"]);
      expect(stored.tenant).toEqual({ choices: [locked], settings: { ...UNSET, timeZone: "Asia/Tokyo" } });
      expect([...stored.users.keys()].sort()).toEqual(["ann", "bob"]);
      expect(stored.users.get("bob")).toEqual({ choices: [], settings: { ...UNSET, timeZone: "UTC" } });
      expect(await preferencesOf("ann")).toMatchObject({ choices: [own(COMMENT), own(SOCIAL)], settings: SETTINGS });
      expect(await decisions().preferencesOf(fixture.tenant, [])).toEqual({ tenant: stored.tenant, users: new Map() });
    });

    test("nothing is there for a tenant that has nothing", async () => {
      const nothing = { tenant: { choices: [], settings: null }, users: new Map() };
      expect(await decisions().preferencesOf(fixture.tenant, ["ann"])).toEqual(nothing);
    });

    test("a choice changes the one at its place, and no other; taking it back removes it, and no other", async () => {
      const general: TenantChoice = { ...SOCIAL, channel: null, value: "on" };
      for (const choice of [SOCIAL, COMMENT, general, { ...SOCIAL, scope: "topic" as const }]) {
        await decisions().setChoice(ann(), choice, MOST);
      }
      await decisions().setChoice(ann(), { ...general, value: "weekly" }, MOST);
      const names = async () => (await preferencesOf("ann")).choices.map(({ scope, channel, value }) => `${scope} ${channel} ${value}`);
      expect((await names()).sort()).toEqual(["category email daily", "category null weekly", "topic email daily", "type null off"]);
      expect(await decisions().takeBack(ann(), general)).toBe(true);
      expect(await decisions().takeBack(ann(), general)).toBe(false);
      expect(await decisions().takeBack(everybody(), SOCIAL)).toBe(false);
      expect((await names()).sort()).toEqual(["category email daily", "topic email daily", "type null off"]);
    });

    test("choices about one target with other conditions, and the one without, stand beside each other", async () => {
      const plain: TenantChoice = { ...COMMENT, when: null };
      const conditional: TenantChoice = { ...COMMENT, when: { author: { operator: "in", value: ["cat", "dan"] } }, value: "daily" };
      for (const choice of [plain, COMMENT, conditional]) {
        expect(await decisions().setChoice(ann(), choice, 3)).toBe(true);
      }
      const values = async () => (await preferencesOf("ann")).choices.map(({ when, value }) => `${JSON.stringify(when)} ${value}`).sort();
      const [of, others] = ['{"author":"bob"}', '{"author":{"operator":"in","value":["cat","dan"]}}'];
      expect(await values()).toEqual([`${of} off`, `${others} daily`, "null off"].sort());
      expect(await decisions().setChoice(ann(), { ...COMMENT, value: "on" }, 3)).toBe(true);
      expect(await decisions().setChoice(ann(), { ...COMMENT, when: { author: "eve" } }, 3)).toBe(false);
      expect(await values()).toEqual([`${of} on`, `${others} daily`, "null off"].sort());
      expect(await decisions().takeBack(ann(), { ...COMMENT, when: { author: "eve" } })).toBe(false);
      expect(await decisions().takeBack(ann(), plain)).toBe(true);
      expect(await values()).toEqual([`${of} on`, `${others} daily`].sort());
      expect(await decisions().takeBack(ann(), COMMENT)).toBe(true);
      expect(await values()).toEqual([`${others} daily`]);
    });

    test("an owner has so many choices and no more, and may still change those", async () => {
      for (const index of range(1, 3)) {
        expect(await decisions().setChoice(ann(), { ...COMMENT, name: `type ${index}` }, 3)).toBe(true);
      }
      expect(await decisions().setChoice(ann(), COMMENT, 3)).toBe(false);
      expect(await decisions().setChoice(ann(), { ...COMMENT, name: "type 2", value: "on" }, 3)).toBe(true);
      expect(await decisions().setChoice(fixture.owner("bob"), COMMENT, 3)).toBe(true);
      expect((await preferencesOf("ann")).choices.map(({ name, value }) => [name, value])).toEqual([
        ["type 1", "off"],
        ["type 2", "on"],
        ["type 3", "off"],
      ]);
    });

    test("a setting changes alone, and is there no more once it is taken back", async () => {
      await decisions().changeSettings(ann(), SETTINGS);
      await decisions().changeSettings(ann(), { digest: { at: "08:00", weekday: "sun" } });
      await decisions().changeSettings(ann(), { quietHours: null });
      const left = { ...SETTINGS, quietHours: null, digest: { at: "08:00", weekday: "sun" } };
      expect((await preferencesOf("ann")).settings).toEqual(left);
      await decisions().changeSettings(ann(), { timeZone: null, pauseUntil: null, digest: null });
      expect((await preferencesOf("ann")).settings).toBeNull();
    });

    test("settings that are changed at once are all changed", async () => {
      await Promise.all([
        decisions().changeSettings(ann(), { timeZone: SETTINGS.timeZone }),
        decisions().changeSettings(ann(), { quietHours: SETTINGS.quietHours }),
        decisions().changeSettings(ann(), { pauseUntil: SETTINGS.pauseUntil }),
        decisions().changeSettings(ann(), { digest: SETTINGS.digest }),
      ]);
      expect((await preferencesOf("ann")).settings).toEqual(SETTINGS);
    });

    test("users, tenants and things whose names look alike have choices of their own", async () => {
      const elsewhere = { tenant: `${fixture.tenant} `, userId: "ann" };
      await decisions().setChoice(elsewhere, SOCIAL, MOST);
      for (const name of LOOKALIKES) {
        await decisions().setChoice(fixture.owner(name), { ...COMMENT, name }, MOST);
        await decisions().setChoice(fixture.owner("collector"), { ...COMMENT, name }, MOST);
      }
      const { tenant, users } = await decisions().preferencesOf(fixture.tenant, [...LOOKALIKES, "collector"]);
      expect(tenant.choices).toEqual([]);
      expect(LOOKALIKES.map((name) => users.get(name)?.choices.map((choice) => choice.name))).toEqual(LOOKALIKES.map((name) => [name]));
      expect(users.get("collector")?.choices).toHaveLength(LOOKALIKES.length);
      await decisions().takeBack(fixture.owner("Ann"), { ...COMMENT, name: "Ann" });
      expect((await preferencesOf("ann")).choices).toHaveLength(1);
    });

    test("the longest names in the widest characters work", async () => {
      const wide = "𝒶".repeat(255);
      const owner = { tenant: `${fixture.tenant} ${"😀".repeat(255 - fixture.tenant.length - 1)}`, userId: wide };
      const choice: TenantChoice = { ...COMMENT, name: wide, channel: wide };
      expect(await decisions().setChoice(owner, choice, MOST)).toBe(true);
      await decisions().changeSettings(owner, SETTINGS);
      const { users } = await decisions().preferencesOf(owner.tenant, [wide]);
      expect(users.get(wide)).toMatchObject({ choices: [own(choice)], settings: SETTINGS });
    });

    test("a user's choices and settings are exported and erased step by step, and nobody else's", async () => {
      const choices = range(1, 9).map((index) => ({ ...SOCIAL, name: `category ${index}` }));
      for (const owner of [ann(), fixture.owner("bob"), everybody()]) {
        for (const choice of choices) {
          await decisions().setChoice(owner, choice, MOST);
        }
        await decisions().changeSettings(owner, SETTINGS);
      }
      const pages = await exportAll((after) => decisions().exportChoices(ann(), { after, limit: 4 }));
      expect(pages.map((page) => page.length)).toEqual([4, 4, 1]);
      expect(
        pages
          .flat()
          .map(({ name }) => name)
          .sort(),
      ).toEqual(choices.map(({ name }) => name));
      expect(pages.flat()[0]).toEqual({ ...own(SOCIAL), name: expect.any(String) });
      expect(await decisions().exportSettings(ann())).toEqual({ records: [SETTINGS], next: null });
      expect(await eraseAll(() => decisions().erase(ann(), 4))).toBe(10);
      expect(await preferencesOf("ann")).toEqual({ choices: [], settings: null });
      expect(await decisions().exportSettings(ann())).toEqual({ records: [], next: null });
      expect((await preferencesOf("bob")).choices).toHaveLength(9);
      expect((await decisions().preferencesOf(fixture.tenant, [])).tenant.choices).toHaveLength(9);
      expect(await decisions().erase(ann(), 4)).toEqual({ removed: 0, isDone: true });
    });
  });
}
