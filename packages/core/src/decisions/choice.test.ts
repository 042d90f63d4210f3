import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHOICE_SCOPES, type Choice, type ChoiceScope, Choices, type ChoiceValue, sourceText, type TenantChoice } from "./choice.ts";

const SUBJECT = { type: "comment", category: "social", topic: "post:7", group: "thread-1", channel: "email", data: { author: "ann" } };
/** More conditions than the others, all of which hold. */
const FULL = { author: "ann", size: { operator: "exists", value: false } };
const NAMES: Readonly<Record<ChoiceScope, string>> = { group: "thread-1", topic: "post:7", type: "comment", category: "social", all: "" };

function choice(scope: ChoiceScope, value: ChoiceValue, others: Partial<Choice> = {}): Choice {
  return { scope, name: NAMES[scope], channel: null, value, when: null, ...others };
}

function effective(user: readonly Choice[], tenant: readonly TenantChoice[] = [], byType: ChoiceValue | null = null) {
  const { value, source, isChangeable } = new Choices({ user, tenant }).effective(SUBJECT, byType);
  return [value, sourceText(source), isChangeable] as const;
}

describe("the choice that counts", () => {
  test("is on where nobody chose anything, and the type's own default where it has one", () => {
    expect(effective([])).toEqual(["on", "default", true]);
    expect(effective([], [], "off")).toEqual(["off", "type", true]);
  });

  test("is the more specific one, whatever a general one says", () => {
    const general = [choice("all", "off"), choice("all", "off", { channel: "email" }), choice("category", "off", { channel: "email" })];
    expect(effective([...general, choice("type", "on")])).toEqual(["on", "user type", true]);
    expect(effective([...general, choice("type", "on"), choice("type", "daily", { channel: "email" })])).toEqual([
      "daily",
      "user type email",
      true,
    ]);
    expect(effective([choice("type", "off"), choice("topic", "on")])).toEqual(["on", "user topic", true]);
    expect(effective([choice("topic", "off"), choice("group", "on")])).toEqual(["on", "user group", true]);
  });

  test("is the user's before the tenant's, and a locked one of the tenant before both", () => {
    const tenant = { ...choice("type", "off"), isLocked: false };
    expect(effective([choice("all", "on")], [tenant])).toEqual(["on", "user all", true]);
    expect(effective([], [tenant])).toEqual(["off", "tenant type", true]);
    expect(effective([choice("group", "off")], [{ ...choice("all", "on"), isLocked: true }])).toEqual(["on", "locked all", false]);
  });

  test("is none whose conditions do not hold, of another channel, or of another name", () => {
    const others = [
      choice("group", "off", { when: { author: "bob" } }),
      choice("topic", "off", { channel: "push" }),
      choice("type", "off", { name: "like" }),
    ];
    expect(effective([...others, choice("all", "weekly")])).toEqual(["weekly", "user all", true]);
    expect(effective([choice("group", "off", { when: { author: "ann" } })])).toEqual(["off", "user group", true]);
  });

  test("is, of those about one target, one whose conditions hold before the one without, and one of more conditions first", () => {
    const off = choice("type", "off");
    const ann = choice("type", "on", { when: { author: "ann" } });
    const bob = choice("type", "weekly", { when: { author: "bob" } });
    for (const choices of [
      [off, ann, bob],
      [bob, ann, off],
    ]) {
      expect(effective(choices)).toEqual(["on", "user type", true]);
      const others = new Choices({ user: choices, tenant: [] });
      expect(others.effective({ ...SUBJECT, data: { author: "carl" } }, null).value).toBe("off");
      expect(others.effective({ ...SUBJECT, data: { author: "bob" } }, null).value).toBe("weekly");
    }
    const both = choice("type", "daily", { when: { author: "ann", size: { operator: "exists", value: false } } });
    expect(effective([ann, both, off])).toEqual(["daily", "user type", true]);
    expect(effective([ann, choice("type", "off", { channel: "email" })])).toEqual(["off", "user type email", true]);
  });

  test("does not exist for a scope that the notification has nothing of", () => {
    const choices = new Choices({ user: [{ scope: "group", name: "", channel: null, value: "off", when: null }], tenant: [] });
    expect(choices.effective({ ...SUBJECT, group: null }, null).value).toBe("on");
  });

  test("is the first in order, so it stays the same when a more general one is made, changed or taken back", () => {
    const scope = fc.constantFrom(...CHOICE_SCOPES);
    const channel = fc.constantFrom(null, "email", "push");
    const value = fc.constantFrom<ChoiceValue>("on", "off", "immediate", "hourly", "daily", "weekly");
    const when = fc.constantFrom<Choice["when"]>(null, { author: "ann" }, { author: "bob" }, { author: { operator: "exists" } }, FULL);
    const made = fc.record({ scope, channel, value, when }).map(({ scope: of, ...rest }) => choice(of, rest.value, rest));
    /** The order in which choices about one target are asked. */
    const order = [FULL, { author: "ann" }, { author: { operator: "exists" } }, null].map((one) => JSON.stringify(one));
    const orderOf = (one: Choice) => order.indexOf(JSON.stringify(one.when));
    const samePlace = (one: Choice, other: Choice) =>
      one.scope === other.scope && one.channel === other.channel && orderOf(one) === orderOf(other);
    /** The first in the order of scopes, channels and conditions among those that hold, by hand. */
    const wanted = (all: readonly Choice[]) =>
      all
        .filter((one, index) => !all.slice(index + 1).some((later) => samePlace(one, later)))
        .filter((one) => one.channel !== "push" && orderOf(one) >= 0)
        .toSorted(
          (left, right) =>
            CHOICE_SCOPES.indexOf(left.scope) - CHOICE_SCOPES.indexOf(right.scope) ||
            Number(left.channel === null) - Number(right.channel === null) ||
            orderOf(left) - orderOf(right),
        )[0];
    fc.assert(
      fc.property(fc.array(made, { maxLength: 8 }), made, (user, edit) => {
        const counts = new Choices({ user, tenant: [] }).effective(SUBJECT, null);
        const after = new Choices({ user: [...user, edit], tenant: [] }).effective(SUBJECT, null);
        const first = wanted([...user, edit]);
        const source =
          first === undefined ? { of: "default" } : { of: "user", scope: first.scope, name: first.name, channel: first.channel };
        expect(after).toEqual({ value: first?.value ?? "on", source, isChangeable: true });
        expect(first === edit ? null : after).toEqual(first === edit ? null : counts);
        const places = user.filter((one, index) => !user.slice(index + 1).some((later) => samePlace(one, later)));
        expect(new Choices({ user: places.toReversed(), tenant: [] }).effective(SUBJECT, null)).toEqual(counts);
      }),
      { numRuns: 2_000 },
    );
  });
});
