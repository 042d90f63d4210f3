import type { DeliveryTask } from "@belfry/core";
import type { EmailContent, EmailTemplates } from "./email-options.ts";
import { hasLineBreak } from "./header-text.ts";
import { renderTemplate } from "./render-template.ts";
import { sanitizeMailHtml } from "./sanitize.ts";

/** The parts of a mail, with a note for the sender. */
export interface Composed {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  readonly note?: string;
}

/** Writes the parts of a mail from the sender's notification and the host's templates, or says why it cannot. */
export async function compose(task: DeliveryTask, templates: EmailTemplates | undefined): Promise<Composed | { readonly problem: string }> {
  const written = await fromTemplate(task, templates);
  if ("problem" in written) {
    return written;
  }
  const subject = written.content.subject ?? task.title;
  if (hasLineBreak(subject)) {
    return { problem: "the subject contains a line break or a NUL character" };
  }
  const html = written.content.html ?? senderHtml(task);
  return {
    subject,
    text: written.content.text ?? task.message,
    ...(html !== undefined && { html }),
    ...(written.note !== undefined && { note: written.note }),
  };
}

/**
 * Says what a mail cannot go out without, or null. A mail that the type writes has a subject, and a text or HTML; one that its
 * sender wrote may lack either, but not both.
 */
export function lackOf({ subject, text, html = "" }: Composed, { type, contents }: Pick<DeliveryTask, "type" | "contents">): string | null {
  const [hasSubject, hasBody] = [subject.trim() !== "", text.trim() !== "" || html.trim() !== ""];
  if (!hasSubject && !hasBody) {
    return "the mail has nothing in it: no subject, text or HTML";
  }
  if (contents === null || (hasSubject && hasBody)) {
    return null;
  }
  const what = hasSubject ? "neither text nor HTML; give text or html, or a message" : "no subject; give a subject, or a title";
  return `the contents of the type ${JSON.stringify(type)} for e-mail make a mail with ${what}`;
}

function senderHtml({ data }: DeliveryTask): string | undefined {
  return typeof data.html_content === "string" && data.html_content !== "" ? sanitizeMailHtml(data.html_content) : undefined;
}

interface Written {
  readonly content: EmailContent;
  readonly note?: string;
}

/** What the type says over e-mail wins; else it is the host's templates that write. */
async function fromTemplate(task: DeliveryTask, templates: EmailTemplates | undefined): Promise<Written | { readonly problem: string }> {
  if (task.contents !== null) {
    const { subject, html, text } = task.contents;
    return {
      content: { ...(subject !== undefined && { subject }), ...(html !== undefined && { html }), ...(text !== undefined && { text }) },
    };
  }
  if (typeof templates === "function") {
    try {
      return { content: (await templates(task)) ?? {} };
    } catch (error) {
      // The error's message may hold private details of the host; senders see only the error's name.
      return { problem: `the template function threw ${error instanceof Error ? error.name : typeof error}` };
    }
  }
  const name = templateName(task);
  if (name === null) {
    return { content: {} };
  }
  const template = templates && Object.hasOwn(templates, name) ? templates[name] : undefined;
  return template
    ? { content: renderTemplate(template, task) }
    : { content: {}, note: `the template ${JSON.stringify(name)} is not known; the content was sent` };
}

function templateName({ data, isFallback }: DeliveryTask): string | null {
  const name = isFallback ? (data.fallback_template ?? data.template) : data.template;
  return typeof name === "string" ? name : null;
}
