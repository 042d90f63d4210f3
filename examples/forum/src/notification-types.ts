import { type ContentSource, type DigestSource, defineTypes } from "@belfry/core";
import { z } from "zod";
import { textsOf } from "./texts.ts";

const MINUTE_MS = 60_000;

/** What texts are made from: `path` leads to what was written. */
const data = z.object({ path: z.string(), postTitle: z.string(), author: z.string(), excerpt: z.string() });

type Data = z.infer<typeof data>;

/** What all types have in common: the excerpt as the message, and the path as the link. */
const shared = {
  data,
  message: ({ data: { excerpt } }: { readonly data: Data }) => excerpt,
  url: ({ data: { path } }: { readonly data: Data }) => path,
};

/** All that the forum notifies about. `publicUrl` is the forum's address in links of mails. */
export function forumTypes(publicUrl: string) {
  // The text of a mail: what was written, a link to it and, where users have the choice, one to unsubscribe.
  const text = ({ data: { path, excerpt }, locale, unsubscribeUrl }: ContentSource<Data>) => {
    const { read, unsubscribe } = textsOf(locale);
    const lines = [excerpt, `${read}: ${publicUrl}${path}`];
    return [...lines, ...(unsubscribeUrl === null ? [] : [`${unsubscribe}: ${unsubscribeUrl}`])].join("\n\n");
  };
  // The text of a mail about several replies.
  const list = ({ entries, locale }: DigestSource<Data>) =>
    entries.map(({ title, data: { path } }) => `${title}\n${textsOf(locale).read}: ${publicUrl}${path}`).join("\n\n");
  return defineTypes({
    // For all users, in their inboxes. Mails are for those who ask for them.
    post: {
      ...shared,
      label: "New posts",
      category: "news",
      title: ({ data: { author, postTitle }, locale }) => textsOf(locale).posted(author, postTitle),
      channels: { inbox: { optional: true }, email: { default: "off", text } },
    },
    // For those who follow the post. They get a mail only if they have not read it here within ten minutes, and of more than five an hour one mail.
    reply: {
      ...shared,
      label: "Replies",
      category: "social",
      title: ({ data: { author, postTitle }, locale }) => textsOf(locale).replied(author, postTitle),
      channels: {
        inbox: { optional: true },
        email: {
          ...{ afterMs: 10 * MINUTE_MS, unlessRead: true, throttle: { max: 5, perMs: 60 * MINUTE_MS }, text },
          digest: { windowMs: 60 * MINUTE_MS, text: list },
        },
      },
    },
    // For the one user who is meant: at once, whatever they switched off.
    mention: {
      ...shared,
      label: "Mentions of you",
      category: "social",
      required: true,
      title: ({ data: { author, postTitle }, locale }) => textsOf(locale).mentioned(author, postTitle),
      channels: { inbox: true, email: { text } },
    },
  });
}
