import type { JsonObject, JsonValue } from "@belfry/core";
import type { Egress, EgressResult } from "@belfry/egress";

/** A checked attachment from a notification's `data`. */
export interface AttachmentRef {
  readonly filename: string;
  readonly url: string;
}

/** A fetched attachment. */
export interface Attachment {
  readonly filename: string;
  readonly content: Buffer;
}

/** The reason why the attachments could not be fetched. */
export interface AttachmentFailure {
  readonly error: string;
  readonly transient: boolean;
}

const MAX_ATTACHMENTS = 10;
const MAX_BYTES = 10 * 1_048_576;
/** The limit for all attachments of one mail together. Common mail servers take 25 MB, and encoding costs a quarter of that. */
const MAX_TOTAL_BYTES = 18 * 1_048_576;
const TIMEOUT_MS = 15_000;
/**
 * Slashes, control characters, line separators, and what changes the direction of text: with U+202E, `cv\u202Efdp.exe` is
 * shown as a PDF file.
 */
const MISLEADING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}/\\]/u;
const FIELDS: ReadonlySet<string> = new Set(["filename", "url"]);

/** Says what is wrong with `data.attachments`, one text for each problem. */
export function invalidAttachments(value: JsonValue | undefined, egress: Egress): readonly string[] {
  if (value === undefined || value === null) {
    return [];
  }
  if (!Array.isArray(value) || value.length > MAX_ATTACHMENTS) {
    return [`attachments must be a list of at most ${MAX_ATTACHMENTS}`];
  }
  return value.flatMap((entry: JsonValue, index) => {
    const problem = attachmentProblem(entry, egress);
    return problem === null ? [] : [`attachments.${index} ${problem}`];
  });
}

function attachmentProblem(entry: JsonValue, egress: Egress): string | null {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return "must be an object with filename and url";
  }
  // `path`, `href`, `raw` and the like would make a mail library read files or call URLs by itself.
  const unknown = Object.keys(entry).find((key) => !FIELDS.has(key));
  if (unknown !== undefined) {
    return `must have filename and url only, has ${JSON.stringify(unknown.slice(0, 50))}`;
  }
  const { filename, url } = entry as JsonObject;
  if (typeof filename !== "string" || filename.length === 0 || filename.length > 255 || MISLEADING.test(filename)) {
    return "must have a filename of 1 to 255 characters, without slashes, control characters or characters that turn the text around";
  }
  const problem = typeof url === "string" ? egress.checkUrl(url) : "must be a text";
  return problem === null ? null : `has a url that ${problem}`;
}

/** The attachments of a `data` that has passed {@link invalidAttachments}. */
export function attachmentRefs(value: JsonValue | undefined): readonly AttachmentRef[] {
  return Array.isArray(value) ? (value as unknown as readonly AttachmentRef[]) : [];
}

/** Fetches the attachments one after the other, so that it never holds more than their total limit. */
export async function fetchAttachments(
  refs: readonly AttachmentRef[],
  egress: Egress,
  signal: AbortSignal,
): Promise<readonly Attachment[] | AttachmentFailure> {
  const attachments: Attachment[] = [];
  let room = MAX_TOTAL_BYTES;
  for (const { filename, url } of refs) {
    const maxBytes = Math.min(MAX_BYTES, room);
    const result = await egress.send(url, { method: "GET", timeoutMs: TIMEOUT_MS, maxBytes, overflow: "refuse", signal });
    if (!result.ok || result.status !== 200) {
      return fetchFailure(filename, result);
    }
    room -= result.body.length;
    attachments.push({ filename, content: Buffer.from(result.body) });
  }
  return attachments;
}

function fetchFailure(filename: string, result: EgressResult): AttachmentFailure {
  const name = `the attachment ${JSON.stringify(filename)} could not be fetched`;
  if (!result.ok) {
    return { error: `${name}: ${result.code}: ${result.error}`, transient: result.transient };
  }
  const transient = result.status >= 500 || [408, 425, 429].includes(result.status);
  return { error: `${name}: its server answered ${result.status}`, transient };
}
