import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { JsonObject } from "../foundation/json.ts";
import { type DataOf, defineTypes, type NotificationTypes } from "./notification-types.ts";

test("a type's functions get the data that its schema makes, as it is stored, and a language", () => {
  const types = defineTypes({
    comment: {
      label: "Comment",
      channels: ["inbox"],
      data: z.object({ postId: z.string(), at: z.date(), tags: z.set(z.string()).transform((tags) => [...tags]) }),
      title: ({ data, locale }) => {
        expectTypeOf(data.postId).toEqualTypeOf<string>();
        expectTypeOf(data.at).toEqualTypeOf<string>();
        expectTypeOf(data.tags).toEqualTypeOf<readonly string[]>();
        expectTypeOf(locale).toEqualTypeOf<string>();
        // @ts-expect-error There is no such member in the data.
        return `${data.post}`;
      },
      message: async ({ data }) => data.postId,
      url: ({ data }) => `/posts/${data.postId}`,
    },
    count: { data: z.object({ size: z.string().transform(Number) }), title: ({ data }) => data.size.toFixed(0) },
    plain: { title: "Hello", message: ({ data }) => expectTypeOf(data).toEqualTypeOf<JsonObject>() && "" },
    bare: {},
  });
  expectTypeOf<DataOf<typeof types>>().toEqualTypeOf<{
    comment: { postId: string; at: Date; tags: Set<string> };
    count: { size: string };
    plain: unknown;
    bare: unknown;
  }>();
  expectTypeOf(types).toExtend<NotificationTypes>();
});

test("a type's conditions get its stored data and the user, and a channel has no rules but those it knows", () => {
  const types = defineTypes({
    comment: {
      category: "social",
      required: ["inbox"],
      data: z.object({ postId: z.string(), at: z.date() }),
      channels: {
        inbox: { optional: true },
        email: {
          afterMs: 600_000,
          unlessRead: true,
          throttle: { max: 1, perMs: 60_000 },
          when: ({ user, data }) => {
            expectTypeOf(user).toEqualTypeOf<{ readonly id: string; readonly tenant: string }>();
            expectTypeOf(data.at).toEqualTypeOf<string>();
            // @ts-expect-error There is no such member in the data.
            return data.post === user.id;
          },
        },
        push: { when: async ({ user }) => user.id !== "bob" },
      },
    },
    plain: { channels: { email: { when: ({ data }) => expectTypeOf(data).toEqualTypeOf<JsonObject>() } } },
  });
  expectTypeOf(types).toExtend<NotificationTypes>();
  // @ts-expect-error A condition answers yes or no.
  defineTypes({ comment: { channels: { email: { when: () => "yes" } } } });
  // @ts-expect-error It is unlessRead.
  defineTypes({ comment: { channels: { email: { unlesRead: true } } } });
  // @ts-expect-error A channel without rules is true.
  defineTypes({ comment: { channels: { email: false } } });
});

test("with the names that there are, a type names no other category or channel, and its functions know its data all the same", () => {
  const categories = { social: { label: ({ locale }: { readonly locale: string }) => locale }, billing: {} };
  const names = { categories, channels: ["email", "push"] } as const;
  const types = defineTypes(
    {
      comment: {
        category: "social",
        data: z.object({ postId: z.string(), at: z.date() }),
        title: ({ data }) => data.postId,
        channels: {
          inbox: true,
          email: { unlessRead: true, when: ({ data }) => expectTypeOf(data.at).toEqualTypeOf<string>() },
        },
      },
      invoice: { category: "billing", required: ["inbox", "email"], channels: ["inbox", "email"] },
    },
    names,
  );
  expectTypeOf<DataOf<typeof types>>().toEqualTypeOf<{ comment: { postId: string; at: Date }; invoice: unknown }>();
  expectTypeOf(types).toExtend<NotificationTypes>();
  // @ts-expect-error There is no such category.
  defineTypes({ comment: { category: "socail" } }, names);
  // @ts-expect-error There is no such channel.
  defineTypes({ comment: { channels: ["emial"] } }, names);
  // @ts-expect-error There is no such channel.
  defineTypes({ comment: { channels: { inbox: true, emial: true } } }, names);
  // @ts-expect-error There is no such channel.
  defineTypes({ comment: { channels: ["email"], required: ["emial"] } }, names);
  // @ts-expect-error A label is a text.
  defineTypes({}, { categories: { social: { label: 7 } } });
});

test("a channel's contents get the stored data, the language and the user, and are of the kind that they have to be", () => {
  const types = defineTypes({
    comment: {
      data: z.object({ postId: z.string(), at: z.date() }),
      channels: {
        email: {
          unlessRead: true,
          subject: "A comment",
          html: async ({ data, locale, user }) => {
            expectTypeOf(data.at).toEqualTypeOf<string>();
            expectTypeOf(user).toEqualTypeOf<{ readonly id: string; readonly tenant: string } | null>();
            // @ts-expect-error There is no such member in the data.
            return `${locale}${data.post}`;
          },
        },
        webhook: { body: ({ data }) => ({ post: data.postId }) },
        chat: { title: ({ data }) => data.postId, url: "/" },
      },
    },
    plain: { channels: { email: { text: ({ data }) => expectTypeOf(data).toEqualTypeOf<JsonObject>() && "" } } },
  });
  expectTypeOf(types).toExtend<NotificationTypes>();
  // @ts-expect-error HTML is a text.
  defineTypes({ comment: { channels: { email: { html: () => 7 } } } });
  // @ts-expect-error A body is an object.
  defineTypes({ comment: { channels: { webhook: { body: "text" } } } });
  // @ts-expect-error It is subject.
  defineTypes({ comment: { channels: { email: { subjekt: "A comment" } } } });
});

test("a digest gets the stored data of its entries, and knows its own members", () => {
  const types = defineTypes({
    comment: {
      data: z.object({ postId: z.string(), at: z.date() }),
      channels: {
        email: {
          digest: {
            windowMs: 1_000,
            by: ({ data }) => data.postId,
            html: ({ entries, total, key }) => {
              expectTypeOf(entries[0]?.data.at).toEqualTypeOf<string | undefined>();
              return `${total} ${key}`;
            },
          },
        },
      },
    },
  });
  expectTypeOf(types).toExtend<NotificationTypes>();
  // @ts-expect-error A window has a length.
  defineTypes({ comment: { channels: { email: { digest: { by: () => "" } } } } });
  defineTypes({
    comment: {
      data: z.object({ postId: z.string() }),
      channels: { email: { digest: { frequency: "daily", unlessUrgent: true, text: ({ entries }) => entries[0]?.data.postId ?? "" } } },
    },
  });
  // @ts-expect-error There is no such frequency.
  defineTypes({ comment: { channels: { email: { digest: { frequency: "yearly" } } } } });
  // @ts-expect-error Its window has a length, or follows the calendar.
  defineTypes({ comment: { channels: { email: { digest: { frequency: "daily", windowMs: 1 } } } } });
  // @ts-expect-error It is windowMs.
  defineTypes({ comment: { channels: { email: { digest: { windowMs: 1, windowMS: 1 } } } } });
});

test("a text is a text, and a type has no members but those it knows", () => {
  // @ts-expect-error A number is no text.
  defineTypes({ comment: { title: 7 } });
  // @ts-expect-error A function makes a text.
  defineTypes({ comment: { data: z.object({ size: z.number() }), title: ({ data }) => data.size } });
  // @ts-expect-error It is title.
  defineTypes({ comment: { titel: "Comment" } });
});
