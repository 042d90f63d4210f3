/** A push as the channel `push` of Belfry sends it to browsers. */
export interface ReceivedPush {
  /** The notification's id; of a digest, that of the first one in it. */
  readonly id: string;
  readonly type: string;
  /** May be empty, as the message may be. */
  readonly title: string;
  readonly message: string;
  /** Empty where it was too large. */
  readonly data: Readonly<Record<string, unknown>>;
  readonly url: string | null;
  /** A later push of the group takes the place of an earlier one. */
  readonly group: string | null;
  /** How many unread items the user's inbox has; null if that is not known. */
  readonly unread: number | null;
  readonly actions: readonly { readonly label: string; readonly url: string | null }[];
  readonly priority: "low" | "normal" | "high" | "urgent";
  /** The language of the texts, as a BCP 47 tag; null if that is not known. */
  readonly locale: string | null;
  /** How many notifications the digest has; null for one alone. */
  readonly digest: number | null;
}

const PRIORITIES = ["low", "normal", "high", "urgent"] as const;
/** More buttons than any browser shows. */
const MAX_ACTIONS = 5;

/** Reads a push. Whatever is wrong about a member, that member is left out. Null for what is no push of Belfry: other senders have other forms. */
export function receivedPush(text: string | undefined): ReceivedPush | null {
  const { id, type, title, message, data, url, group, unread, actions, priority, locale, digest } = objectOf(parsed(text ?? ""));
  if (typeof id !== "string" || id === "" || typeof title !== "string" || typeof message !== "string") {
    return null;
  }
  return {
    ...{ id, type: textOf(type) ?? "", title, message, data: objectOf(data), url: textOf(url), group: textOf(group) },
    ...{ unread: countOf(unread), actions: actionsOf(actions), locale: textOf(locale), digest: countOf(digest) },
    priority: PRIORITIES.find((one) => one === priority) ?? "normal",
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no push of Belfry.
    return null;
  }
}

/** The members of an object; none of anything else. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A text; null for anything else, and for none. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

function countOf(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

function actionsOf(value: unknown): ReceivedPush["actions"] {
  const given: readonly unknown[] = Array.isArray(value) ? value.slice(0, MAX_ACTIONS) : [];
  return given.flatMap((action) => {
    const { label, url } = objectOf(action);
    return typeof label === "string" && label !== "" ? [{ label, url: textOf(url) }] : [];
  });
}
