import type { DeliveryTask, JsonValue } from "@belfry/core";
import type { EmailContent, EmailTemplate } from "./email-options.ts";

const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_][\w-]*(?:\.[\w-]+)*)[ \t]*\}\}/g;

const HTML_ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Fills a template's placeholders from the task. */
export function renderTemplate(template: EmailTemplate, task: DeliveryTask): EmailContent {
  const { subject, text, html } = template;
  return {
    ...(subject !== undefined && { subject: fill(subject, task, (value) => value.replace(/[\r\n\0]+/g, " ")) }),
    ...(text !== undefined && { text: fill(text, task, (value) => value) }),
    ...(html !== undefined && { html: fill(html, task, writeHtml) }),
  };
}

/** Writes a value into a part; `before` is the template's text before it. */
type Write = (value: string, before: string) => string;

function fill(part: string, task: DeliveryTask, write: Write): string {
  return part.replace(PLACEHOLDER, (placeholder, path: string, offset: number) => {
    const value = valueAt(path, task);
    return value === null ? placeholder : write(value, part.slice(0, offset));
  });
}

const writeHtml: Write = (value, before) => {
  // A sender's link must lead to the web or to a mailbox; `javascript:` and the like become a link to nothing.
  const isLink = /(?:href|src)\s*=\s*["']?$/i.test(before);
  return isLink && !/^(?:https?:\/\/|mailto:)/i.test(value) ? "#" : escapeHtml(value);
};

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character);
}

/** The text, number or boolean at `path`, as text; null if there is none. */
function valueAt(path: string, task: DeliveryTask): string | null {
  const { title, message, recipient, roomId, data } = task;
  let value: JsonValue | undefined = { ...data, title, message, recipient, room_id: roomId };
  for (const key of path.split(".")) {
    // Only own keys count: `constructor` and the like are not data.
    value =
      value !== null && typeof value === "object" && Object.hasOwn(value, key)
        ? (value as Readonly<Record<string, JsonValue>>)[key]
        : undefined;
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : null;
}
