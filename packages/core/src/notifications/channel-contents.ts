import { type ChecksOf, type MembersOf, requireConfiguration } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { type Check, TITLE_RULE, text } from "../foundation/parse-text.ts";
import { type RenderContext, type RenderSource, renderMember, TEXT_CHECKS } from "./rendering.ts";

/** What a function of a channel's contents makes them from. */
export interface ContentSource<Data = JsonObject> extends RenderSource<Data> {
  /** The user who gets it; null for an address that belongs to no user. */
  readonly user: { readonly id: string; readonly tenant: string } | null;
  /** A link that switches these notifications off for the user; null where there is none. */
  readonly unsubscribeUrl: string | null;
}

/** A member of a channel's contents: its value, or a function that makes it. */
export type TypeContent<Value, Data> = Value | ((source: ContentSource<Data>) => Value | Promise<Value>);

/**
 * What a type says over one channel, in place of its texts for all: each a value, or a function of the data, the recipient's
 * language and the user. Functions are called for each attempt, within the channel's time; one that fails fails the attempt.
 */
export interface ChannelContents<Data = JsonObject> {
  /** In place of the title. At most 1,000 code points. */
  readonly title?: TypeContent<string, Data>;
  /** In place of the message. At most 10,000 code points. */
  readonly message?: TypeContent<string, Data>;
  /** In place of the link. */
  readonly url?: TypeContent<string, Data>;
  /** The subject of a mail: one line of at most 1,000 code points. @default the title */
  readonly subject?: TypeContent<string, Data>;
  /** The HTML of a mail, which is sent as it is: escape what comes from the data. At most 1,000,000 code points. */
  readonly html?: TypeContent<string, Data>;
  /** The plain text of a mail. At most 1,000,000 code points. @default the message */
  readonly text?: TypeContent<string, Data>;
  /** The whole body of a webhook, or what a channel of the host's own wants in JSON. At most 256 KiB. */
  readonly body?: TypeContent<JsonObject, Data>;
}

/** The contents that a channel has to know itself. */
export type ContentMember = Exclude<keyof ChannelContents, "title" | "message" | "url">;

/** The contents of one task, as they were made for it. */
export interface TaskContents {
  readonly subject?: string;
  readonly html?: string;
  readonly text?: string;
  readonly body?: JsonObject;
}

const isDocument: Check = text({ maxLength: 1_000_000 });

/** The checks of what is declared, and of what functions make. */
const CHECKS: ChecksOf<ChannelContents> = {
  ...TEXT_CHECKS,
  subject: text(TITLE_RULE),
  html: isDocument,
  text: isDocument,
  body: (value, name) => {
    const parsed = parseJsonObject(value, [name]);
    return "issues" in parsed ? (parsed.issues.error().issues[0] ?? null) : null;
  },
};

/** Every member of contents. */
export const CONTENTS: MembersOf<ChannelContents> = {
  title: true,
  message: true,
  url: true,
  subject: true,
  html: true,
  text: true,
  body: true,
};

const MEMBERS = Object.keys(CONTENTS) as readonly (keyof ChannelContents)[];

/** Contents as they are declared, whatever their functions take. */
type DeclaredContents = { readonly [Member in keyof ChannelContents]?: unknown };

/** Checks what is the same for all. What functions make is checked when they are called. Throws `CONFIGURATION`. */
export function requireContents(whose: string, declared: DeclaredContents): void {
  for (const member of membersOf(declared)) {
    const own = declared[member];
    requireConfiguration(whose, [typeof own === "function" ? null : CHECKS[member](own, member)]);
  }
}

/** The contents that are declared. */
export function membersOf(declared: DeclaredContents): readonly (keyof ChannelContents)[] {
  return MEMBERS.filter((member) => declared[member] !== undefined);
}

/** A channel's contents to make. */
export interface ContentRendering {
  readonly type: string;
  readonly channel: string;
  readonly declared: DeclaredContents;
  /** What its functions take. */
  readonly source: object;
}

/** Contents that were made. */
export type MadeContents = { -readonly [Member in keyof ChannelContents]?: Member extends "body" ? JsonObject : string };

/** Makes the contents of a channel for one recipient. Rejects with `RENDERING_FAILED`. */
export async function renderContents(context: RenderContext, { type, channel, declared, source }: ContentRendering): Promise<MadeContents> {
  const make = async (member: keyof ChannelContents) => {
    const rendered = { context: { ...context, isStored: true }, type, channel, member, check: CHECKS[member] };
    return [member, await renderMember<string | JsonObject>(declared[member], source, rendered)] as const;
  };
  return Object.fromEntries(await Promise.all(membersOf(declared).map(make))) as MadeContents;
}
