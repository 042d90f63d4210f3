import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CHOICE_SCOPES, type Choice, type ChoiceScope, Choices, type ChoiceValue, sourceText, type TenantChoice } from "./choice.ts";

const SUBJECT = { type: "comment", category: "social", topic: "post:7", group: "thread-1", channel: "email", data: { author: "ann" } };
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

  test("does not exist for a scope that the notification has nothing of", () => {
    const choices = new Choices({ user: [{ scope: "group", name: "", channel: null, value: "off", when: null }], tenant: [] });
    expect(choices.effective({ ...SUBJECT, group: null }, null).value).toBe("on");
  });

  test("stays the same when a more general one is made, changed or taken back", () => {
    const scope = fc.constantFrom(...CHOICE_SCOPES);
    const channel = fc.constantFrom(null, "email", "push");
    const value = fc.constantFrom<ChoiceValue>("on", "off", "immediate", "hourly", "daily", "weekly");
    const made = fc.record({ scope, channel, value }).map(({ scope: of, ...rest }) => choice(of, rest.value, rest));
    fc.assert(
      fc.property(fc.array(made, { maxLength: 8 }), made, (user, edit) => {
        const counts = new Choices({ user, tenant: [] }).effective(SUBJECT, null);
        const after = new Choices({ user: [...user, edit], tenant: [] }).effective(SUBJECT, null);
        const isOther = edit.channel === "push";
        const isMoreGeneral =
          "scope" in counts.source &&
          (CHOICE_SCOPES.indexOf(edit.scope) > CHOICE_SCOPES.indexOf(counts.source.scope) ||
            (edit.scope === counts.source.scope && edit.channel === null && counts.source.channel !== null));
        if (isOther || isMoreGeneral) {
          expect(after).toEqual(counts);
        } else {
          expect(after).toMatchObject({ value: edit.value, source: { of: "user", scope: edit.scope, channel: edit.channel } });
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
