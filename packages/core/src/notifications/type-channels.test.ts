import { describe, expect, test } from "vitest";
import { defineTypes, requireTypes } from "./notification-types.ts";
import { channelsOfType, isRequired, rulesOfType } from "./type-channels.ts";

function refusal(type: unknown): string {
  try {
    requireTypes({ comment: type });
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("the channels of a type", () => {
  test("are a list of names, or an object of their rules in the same order", () => {
    const { listed, ruled, bare } = defineTypes({
      listed: { channels: ["inbox", "email"], required: ["email"] },
      ruled: { category: "social", required: true, channels: { inbox: true, push: { unlessOnline: true }, email: { afterMs: 1 } } },
      bare: {},
    });
    expect([listed, ruled, bare].map(channelsOfType)).toEqual([["inbox", "email"], ["inbox", "push", "email"], undefined]);
    expect([rulesOfType(ruled, "push"), rulesOfType(ruled, "inbox"), rulesOfType(listed, "email"), rulesOfType(ruled, "toString")]).toEqual(
      [{ unlessOnline: true }, {}, {}, {}],
    );
    expect([isRequired(listed, "inbox"), isRequired(listed, "email"), isRequired(ruled, "push"), isRequired(bare, "inbox")]).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test("may be off by default where that has an effect, and ask whether it was read where there is an inbox", () => {
    const channels = {
      inbox: { optional: true, default: "off" },
      email: { default: "off", unlessRead: true },
      push: { unlessRead: false },
    };
    expect(refusal({ channels, required: ["push"] })).toBe("");
    expect(refusal({ channels: { email: { unlessRead: false } } })).toBe("");
  });

  const THROTTLE = "must be { max, perMs }: max a whole number from 1 to 10000, perMs one from 1 to 2592000000";
  test.each<readonly [string, unknown, string]>([
    ["one name without a list", { channels: "email" }, "must be a list of names, or an object of them"],
    ["none at all", { channels: {} }, "must be a list of names, or an object of them"],
    [
      "an unknown rule",
      { channels: { email: { unlessRead: true, after: 1 } } },
      'body, afterMs, unlessRead, unlessOnline, when, throttle, digest, default; got "after"',
    ],
    ["a digest without a window", { channels: { email: { digest: {} } } }, "windowMs must be a whole number from 1 to 2592000000"],
    ["a digest of another frequency", { channels: { email: { digest: { frequency: "yearly" } } } }, "frequency must be one of"],
    [
      "a digest with two lengths",
      { channels: { email: { digest: { frequency: "daily", windowMs: 1 } } } },
      'windowMs has no effect beside frequency: "daily"',
    ],
    [
      "a digest that leads the day",
      { channels: { email: { digest: { frequency: "daily", leading: true } } } },
      'leading has no effect beside frequency: "daily"',
    ],
    [
      "a digest that is asked for urgency",
      { channels: { email: { digest: { windowMs: 1, unlessUrgent: "yes" } } } },
      "unlessUrgent must be",
    ],
    ["a digest over the inbox", { channels: { inbox: { digest: { windowMs: 1 } } } }, 'takes default, optional; got "digest"'],
    ["a digest that waits", { channels: { email: { digest: { windowMs: 1, waitMs: 1 } } } }, 'got "waitMs"'],
    ["a digest by a name", { channels: { email: { digest: { windowMs: 1, by: "postId" } } } }, "by must be a function, is string"],
    [
      "a window that slides without end",
      { channels: { email: { digest: { windowMs: 2, window: "sliding", maxWindowMs: 1 } } } },
      "maxWindowMs must be at least windowMs, 2, for a sliding window; is 1",
    ],
    [
      "an end for a fixed window",
      { channels: { email: { digest: { windowMs: 2, maxWindowMs: 3 } } } },
      "maxWindowMs has no effect on a fixed window",
    ],
    [
      "a digest of what is required",
      { required: true, channels: { email: { digest: { windowMs: 1 } } } },
      "channels.email.digest has no effect where email is required",
    ],
    ["a digest with a subject that is none", { channels: { email: { digest: { windowMs: 1, subject: 7 } } } }, "subject"],
    ["a rule of other channels for the inbox", { channels: { inbox: { afterMs: 1 } } }, 'takes default, optional; got "afterMs"'],
    ["a rule of the inbox for another one", { channels: { email: { optional: true } } }, 'got "optional"'],
    ["false instead of rules", { channels: { inbox: true, email: false } }, 'the channel "email" of the type "comment" takes an object of'],
    [
      "a wait of half a millisecond",
      { channels: { email: { afterMs: 0.5 } } },
      "afterMs must be a whole number from 0 to 2592000000, is 0.5",
    ],
    ["a condition that is no function", { channels: { email: { when: true } } }, "when must be a function, is boolean"],
    ["a default that is no choice", { channels: { email: { default: "never" } } }, 'default must be one of on, off, is "never"'],
    ["a throttle of none", { channels: { email: { throttle: { max: 0, perMs: 1 } } } }, THROTTLE],
    ["a throttle of one and a half", { channels: { email: { throttle: { max: 1.5, perMs: 1 } } } }, `${THROTTLE}; is {"max":1.5`],
    ["half a throttle", { channels: { email: { throttle: { max: 1 } } } }, THROTTLE],
    ["a throttle that is no object", { channels: { email: { throttle: 7 } } }, THROTTLE],
    ["a throttle with more in it", { channels: { email: { throttle: { max: 1, perMs: 1, per: 2 } } } }, THROTTLE],
    ["a required channel that it has not", { required: ["email"] }, 'required names "email", which is not among its channels inbox'],
    ["a word as required", { required: "email" }, "required must be true, false or a list of channels, is string"],
    ["no channels", { channels: [] }, "an object of them such as { inbox: true, email: { unlessRead: true } }, is an empty list"],
    ["no required channels", { required: [] }, "required must be true, false or a list of channels, is an empty list"],
    ["a channel twice", { channels: ["inbox", "email", "inbox"] }, 'the type "comment" channels names "inbox" twice'],
    ["a required channel twice", { required: ["inbox", "inbox"] }, 'required names "inbox" twice'],
    [
      "unlessRead without an inbox",
      { channels: { email: { unlessRead: true } } },
      "channels.email.unlessRead has no effect, since the type has no inbox in which it could be read; add inbox: true",
    ],
    [
      "an inbox that is off and cannot be switched on",
      { channels: { inbox: { default: "off" } } },
      "channels.inbox.default has no effect, since nobody can switch this inbox on or off; add optional: true",
    ],
    [
      "a required type with a channel that is off",
      { required: true, channels: { inbox: true, email: { default: "off" } } },
      "channels.email.default has no effect where email is required; leave out one of them",
    ],
    [
      "a required channel that is off",
      { required: ["email"], channels: { email: { default: "off" } } },
      "no effect where email is required",
    ],
    ["a number as category", { category: 7 }, 'the type "comment" category expected a string, got number'],
  ])("%s is refused", (_, type, message) => {
    expect(refusal(type)).toContain(message);
  });
});
