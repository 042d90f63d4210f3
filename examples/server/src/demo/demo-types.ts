import { defineTypes } from "@belfry/core";
import { z } from "zod";

/** How long the mails of comments wait for each other: minutes in an application, here short enough to watch. */
export const DIGEST_MS = 15_000;

/** How long the mail of a mention waits for its user to read it here. */
export const MENTION_MS = 10_000;

const data = z.object({ author: z.string(), text: z.string() });

/** The notification types that the page of the demo creates. */
export const demoTypes = defineTypes({
  comment: {
    label: "Comments",
    category: "social",
    data,
    title: ({ data: { author } }) => `${author} commented on “Lunch”`,
    message: ({ data: { text } }) => text,
    group: "Lunch",
    channels: {
      inbox: true,
      email: {
        text: ({ data: { text } }) => text,
        digest: {
          windowMs: DIGEST_MS,
          subject: ({ total }) => `${total} comments on “Lunch”`,
          text: ({ entries }) => entries.map(({ data: { author, text } }) => `${author}: ${text}`).join("\n"),
        },
      },
    },
  },
  mention: {
    label: "Mentions of you",
    category: "social",
    data,
    title: ({ data: { author } }) => `${author} mentioned you`,
    message: ({ data: { text } }) => text,
    channels: { inbox: true, push: true, email: { afterMs: MENTION_MS, unlessRead: true, text: ({ data: { text } }) => text } },
  },
  news: {
    label: "News",
    category: "news",
    data,
    title: ({ data: { author } }) => `News from ${author}`,
    message: ({ data: { text } }) => text,
  },
});
