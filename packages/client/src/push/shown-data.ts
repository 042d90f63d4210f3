import { objectOf, textOf } from "./received-push.ts";

/** What a notification that is shown keeps of its push. */
export interface ShownData {
  readonly id: string;
  readonly url: string | null;
  /** Where its buttons lead. */
  readonly links: readonly (string | null)[];
  /** Whether it stands for several notifications. */
  readonly isDigest: boolean;
}

/** Reads what a notification keeps; null for one that is none of Belfry's. */
export function shownData(data: unknown): ShownData | null {
  const { id, url, links, isDigest } = objectOf(objectOf(data).belfry);
  const known = textOf(id);
  return known === null
    ? null
    : { id: known, url: textOf(url), links: Array.isArray(links) ? links.map(textOf) : [], isDigest: isDigest === true };
}
