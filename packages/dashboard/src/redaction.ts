import { BelfryError } from "@belfry/core";
import type { DashboardAction } from "./access.ts";

/**
 * The kind of something that the dashboard shows: a notification's `title`; its message and other `text`; its `data`, links, topics and
 * groups; the `address` or user that it goes to; the `actor` who did something; the `error` or other answer of a provider. Every text that
 * is none of these, and no mere name, status or id, is `other`.
 */
export type RedactableKind = "title" | "text" | "data" | "address" | "actor" | "error" | "other";

/** Somebody who looks at the dashboard. */
export interface Reader {
  /** Their name in the audit log. */
  readonly actor: string;
  readonly tenant: string;
  /** The actions that they may do there. */
  readonly actions: readonly DashboardAction[];
}

/** Something that the dashboard would show. */
export interface Redactable {
  readonly kind: RedactableKind;
  /** The member of the answer that has it, for example `lastError`. */
  readonly name: string;
  /** A text; of the kind `data` also an object or a list. Never null. */
  readonly value: unknown;
  readonly reader: Reader;
}

/**
 * Says what a reader is shown instead of a value: the value itself, another one of the same type, or null to strike it out. A text that is struck
 * out is shown as `[redacted]`, an object as an empty one.
 */
export type Redact = (shown: Redactable) => unknown;

/** The members of answers that a host may want to strike out. A route with others names them here, or among the plain ones. */
const KINDS: ReadonlyMap<string, RedactableKind> = new Map(
  Object.entries({
    title: ["title"],
    text: ["message", "excerpt", "prompt", "result", "details", "body"],
    data: ["data", "meta", "url", "actions", "roomId", "topic", "topics", "group", "replaceKey", "key", "when"],
    address: ["recipient", "recipients", "sender", "address", "userId", "userIds", "targetId"],
    actor: ["actor"],
    error: ["error", "lastError", "response", "note", "detail", "problem"],
  } satisfies Readonly<Record<Exclude<RedactableKind, "other">, readonly string[]>>).flatMap(([kind, names]) =>
    names.map((name) => [name, kind as RedactableKind] as const),
  ),
);

/** The members whose texts are ids, names that the host declares, and words of Belfry. */
const PLAIN: ReadonlySet<string> = new Set([
  ...["id", "notificationId", "deliveryId", "messageId", "handlerId", "leaseOwner", "tenant", "nextCursor", "newest"],
  ...["kind", "type", "types", "category", "priority", "label", "source", "name", "channel", "channels", "provider", "devices", "takes"],
  ...["status", "state", "reason", "reasonSource", "recipientKind", "heldBy", "action", "change", "rule", "outcome", "scope", "value"],
  ...["targetKind", "timeZone", "from", "to", "at", "weekday", "days", "frequency", "window", "locale", "mode", "owner", "work"],
]);

/** What a text that is struck out is shown as. */
const STRUCK_OUT = "[redacted]";

/** Strikes out or replaces, in every answer and event, what readers are not to see. */
export class Redaction {
  readonly #redact: Redact;

  constructor(redact: Redact) {
    this.#redact = redact;
  }

  /** Returns an answer as a reader is to see it. @throws BelfryError `CONFIGURATION` if the host's function fails: nothing is shown then */
  shownTo(reader: Reader, answer: unknown): unknown {
    try {
      return this.#member("", answer, reader);
    } catch (cause) {
      throw new BelfryError(
        "CONFIGURATION",
        "What to leave out of the answer could not be found out, so nothing of it is shown. The server's log says why.",
        {
          cause,
        },
      );
    }
  }

  #member(name: string, value: unknown, reader: Reader): unknown {
    const kind = KINDS.get(name);
    if (typeof value === "string") {
      return kind === undefined && PLAIN.has(name) ? value : this.#redacted({ kind: kind ?? "other", name, value, reader });
    }
    if (typeof value !== "object" || value === null || value instanceof Date) {
      return value;
    }
    if (kind === "data") {
      return this.#redacted({ kind, name, value, reader });
    }
    if (Array.isArray(value)) {
      return value.map((element) => this.#member(name, element, reader));
    }
    return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, this.#member(member, inner, reader)]));
  }

  #redacted(shown: Redactable): unknown {
    const result = this.#redact(shown);
    if (result === null) {
      return struckOut(shown.value);
    }
    if (formOf(result) !== formOf(shown.value)) {
      throw new BelfryError(
        "CONFIGURATION",
        `The dashboard's redact returned ${formOf(result)} for "${shown.name}", which is ${formOf(shown.value)}; it may return such a one, or null.`,
      );
    }
    return result;
  }
}

function struckOut(value: unknown): unknown {
  if (typeof value === "string") {
    return STRUCK_OUT;
  }
  return Array.isArray(value) ? [] : {};
}

function formOf(value: unknown): string {
  if (Array.isArray(value)) {
    return "a list";
  }
  if (value instanceof Promise) {
    return "a promise";
  }
  return typeof value === "object" ? "an object" : typeof value === "string" ? "a text" : `something of the type ${typeof value}`;
}
