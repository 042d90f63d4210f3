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

test("a text is a text, and a type has no members but those it knows", () => {
  // @ts-expect-error A number is no text.
  defineTypes({ comment: { title: 7 } });
  // @ts-expect-error A function makes a text.
  defineTypes({ comment: { data: z.object({ size: z.number() }), title: ({ data }) => data.size } });
  // @ts-expect-error It is title.
  defineTypes({ comment: { titel: "Comment" } });
});
