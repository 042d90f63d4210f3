import { cutText, type ProviderPlace, type Undeliverable } from "@belfry/channel-http";
import type { DeliveryTask, JsonObject } from "@belfry/core";

/** A link with a label. */
export interface ChatButton {
  readonly label: string;
  readonly url: string;
}

/** A notification as a chat can show it. */
export interface ChatMessage {
  /** One line; may be empty. */
  readonly title: string;
  /** May be empty. */
  readonly message: string;
  /** Where the title leads; absolute. */
  readonly link: string | null;
  readonly buttons: readonly ChatButton[];
}

/** A message as its provider takes it, with a note for the sender. */
export interface Rendered {
  readonly message: JsonObject;
  readonly note?: string;
}

/** How a channel writes a message itself. */
export interface Rendering {
  /** How many UTF-16 code units of a notification's message fit. */
  readonly length: number;
  render(chat: ChatMessage): JsonObject;
}

/** Takes the message that the type declares as its `body`, or else makes one of title, message and links. */
export function messageOf(task: DeliveryTask, place: ProviderPlace, { length, render }: Rendering): Rendered | Undeliverable {
  const { title, message, url, contents } = task;
  if (contents?.body !== undefined) {
    return { message: contents.body };
  }
  if (title === "" && message === "") {
    return { problem: "the notification has neither a title nor a message" };
  }
  const shown = cutText(message, length);
  const chat = { title, message: shown, link: url === null ? null : place.link(url), buttons: buttonsOf(task, place) };
  return { message: render(chat), ...(shown !== message && { note: `the message was cut to ${length} characters` }) };
}

function buttonsOf({ actions }: DeliveryTask, place: ProviderPlace): readonly ChatButton[] {
  return (actions ?? []).flatMap(({ label, url }) => {
    const link = place.link(url);
    return link === null ? [] : [{ label, url: link }];
  });
}
