import type { DeliveryTask, JsonObject } from "@belfry/core";
import type { Egress } from "@belfry/egress";
import { invalidAttachments } from "./attachments.ts";

/** In UTF-16 code units. Common mail programs cut off longer mails. */
const MAX_HTML_LENGTH = 100_000;
/** A mail library would take whole messages or other recipients from these members. */
const REFUSED_KEYS = ["raw", "envelope"];
const TEMPLATE_KEYS = ["template", "fallback_template"];

/** Whether a mail has no title, message or HTML, and names no template that could give it one. */
export function isEmptyMail({ title, message, data }: Pick<DeliveryTask, "title" | "message" | "data">): boolean {
  const hasText = [title, message, data.html_content, ...TEMPLATE_KEYS.map((key) => data[key])].some(
    (text) => typeof text === "string" && text.trim() !== "",
  );
  return !hasText;
}

/** Says what is wrong with a notification's `data` for e-mail, one text for each problem. */
export function invalidEmailData(data: JsonObject, egress: Egress): readonly string[] {
  const problems: string[] = [];
  for (const key of REFUSED_KEYS) {
    if (Object.hasOwn(data, key)) {
      problems.push(`${key} is not taken for e-mail; use content, html_content and attachments`);
    }
  }
  for (const key of TEMPLATE_KEYS) {
    const value = data[key];
    if (value !== undefined && value !== null && (typeof value !== "string" || value.length > 255)) {
      problems.push(`${key} must be the name of a template`);
    }
  }
  const html = data.html_content;
  if (html !== undefined && html !== null && (typeof html !== "string" || html.length > MAX_HTML_LENGTH)) {
    problems.push(`html_content must be a text of at most ${MAX_HTML_LENGTH} characters`);
  }
  return [...problems, ...invalidAttachments(data.attachments, egress)];
}
