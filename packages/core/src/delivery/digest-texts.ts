import type { Clock } from "../foundation/clock.ts";
import {
  type DigestEntry,
  type DigestSource,
  declaredType,
  membersOf,
  type NotificationTypes,
  renderAgain,
  renderContents,
  rulesOfType,
  type TaskContents,
  type TypeDigest,
  typeLabel,
} from "../notifications/index.ts";
import type { TaskDigest } from "./channel.ts";
import type { StoredBundle } from "./digest-storage.ts";

/** How many titles, and labels of types, a text has that no type gives. */
const SHOWN_TITLES = 10;
const SHOWN_LABELS = 5;
const MAX_TITLE = 1_000;

/** The digest of a type that says how a bundle looks: undefined where several types are in it, or where its type says nothing. */
export function declaredDigest(types: NotificationTypes, { digest, types: ofEntries }: StoredBundle): TypeDigest<never> | undefined {
  const [type, ...others] = ofEntries;
  const declared = type === undefined || others.length > 0 ? undefined : declaredType({ types }, type, { declaredTypesOnly: false });
  return rulesOfType(declared, digest.channel).digest;
}

/** Whether a bundle goes out as a digest: one that is alone does so only if its type says so. */
export function isShownAsDigest(types: NotificationTypes, bundle: StoredBundle): boolean {
  return bundle.deliveryIds.length > 1 || declaredDigest(types, bundle)?.single === "digest";
}

/** What a digest is rendered with. */
export interface DigestRendering {
  readonly types: NotificationTypes;
  readonly clock: Clock;
  readonly locale: string;
  readonly timeoutMs: number;
  readonly unsubscribeUrl: string | null;
}

/** The texts of a digest. */
export interface DigestTexts {
  readonly title: string;
  readonly message: string;
  readonly url: string | null;
  readonly contents: TaskContents | null;
  readonly digest: TaskDigest;
}

/**
 * Renders a digest in the recipient's language: what its type says of digests, else how many there are of which type, and the newest
 * titles. Rejects with `RENDERING_FAILED`.
 */
export async function digestTexts(bundle: StoredBundle, rendering: DigestRendering): Promise<DigestTexts> {
  const { types, locale, unsubscribeUrl } = rendering;
  const { digest, shown } = bundle;
  const { tenant, userId, channel } = digest;
  const total = bundle.deliveryIds.length;
  const { key } = digest.plan;
  const entries = await Promise.all(shown.map((member) => entryOf(member, rendering)));
  const declared = declaredDigest(types, bundle);
  const source: DigestSource = { entries, total, key, locale, user: { id: userId, tenant }, unsubscribeUrl };
  const made =
    declared === undefined || membersOf(declared).length === 0
      ? {}
      : await renderContents(rendering, { type: entries[0]?.type ?? "", channel, declared, source });
  const { title = titleOf(types, entries, total), message = messageOf(entries, total), url = commonUrl(entries), ...contents } = made;
  return {
    ...{ title, message, url: url ?? null },
    contents: Object.keys(contents).length === 0 ? null : contents,
    digest: { key, total, entries },
  };
}

async function entryOf({ notification, meta: data }: StoredBundle["shown"][number], rendering: DigestRendering): Promise<DigestEntry> {
  const { id: notificationId, type, actor, createdAt } = notification;
  const declared = declaredType(rendering, type, { declaredTypesOnly: false });
  const texts = await renderAgain(rendering, { notification, declared, data });
  return { notificationId, type, ...texts, data, actor, createdAt };
}

/** `New comment (3), Mention (1)`: labels of types in the host's own words. What is not shown counts with the only type, else by itself. */
function titleOf(types: NotificationTypes, entries: readonly DigestEntry[], total: number): string {
  const counts = [...Map.groupBy(entries, ({ type }) => type)].map(([type, of]) => [typeLabel(types, type), of.length] as const);
  const hidden = total - entries.length;
  if (counts.length === 1) {
    return cut(`${counts[0]?.[0] ?? ""} (${total})`);
  }
  const more = counts.slice(SHOWN_LABELS).reduce((sum, [, count]) => sum + count, hidden);
  const named = counts.slice(0, SHOWN_LABELS).map(([label, count]) => `${label} (${count})`);
  return cut([...named, ...(more > 0 ? [`+${more}`] : [])].join(", "));
}

/** The newest titles, a line each, and how many more there are. */
function messageOf(entries: readonly DigestEntry[], total: number): string {
  const newest = entries.slice(-SHOWN_TITLES).reverse();
  const lines = newest.map(({ title, message }) => `• ${firstLine(title === "" ? message : title)}`);
  return [...lines, ...(total > newest.length ? [`+${total - newest.length}`] : [])].join("\n");
}

function firstLine(text: string): string {
  return [...(text.split(/\r?\n/u, 1)[0] ?? "")].slice(0, 200).join("");
}

/** A title is one line; labels of types may have more. */
function cut(title: string): string {
  return [...title.replaceAll(/\s+/gu, " ")].slice(0, MAX_TITLE).join("");
}

/** The link of all entries, if they share one. */
function commonUrl(entries: readonly DigestEntry[]): string | undefined {
  const urls = new Set(entries.map(({ url }) => url));
  const [url] = urls;
  return urls.size === 1 && url !== null ? url : undefined;
}
