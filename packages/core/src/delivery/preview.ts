import type { Owner } from "../foundation/context.ts";
import { BelfryError } from "../foundation/errors.ts";
import { shown } from "../foundation/parse-text.ts";
import { Cancellation, withinTime } from "../work/timing.ts";
import { Addresses, type Reached } from "./addresses.ts";
import { addressesOfUser } from "./addresses-of-user.ts";
import type { Channel, MessagePreview } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import { type DeliveryContent, taskOf, textsFor } from "./task-of.ts";

/** What operators ask of deliveries: what a message says, and where a user is reached. */
export function readsOfOperators(context: DeliveryContext) {
  return {
    preview: (content: DeliveryContent) => previewOf(context, content),
    addressesOf: (owner: Owner) => addressesOfUser(context, owner),
  };
}

/**
 * What the message of a delivery says, rendered anew in the language of its recipient, without a link to unsubscribe. Nothing is delivered.
 *
 * @throws BelfryError `INVALID_STATE` where there is no preview, or it cannot be made
 */
async function previewOf(context: DeliveryContext, content: DeliveryContent): Promise<MessagePreview> {
  const { delivery } = content;
  const channel = context.channels.get(delivery.channel);
  if (channel?.preview === undefined) {
    throw new BelfryError("INVALID_STATE", `The channel ${shown(delivery.channel)} has no preview.`);
  }
  if (delivery.reason === "digest" || delivery.reason === "bundled") {
    throw new BelfryError("INVALID_STATE", "It goes out in a digest with others, and has no message of its own.");
  }
  const limit = { clock: context.clock, timeoutMs: channel.timeoutMs, cancellation: new Cancellation() };
  const made = await withinTime(() => previewWithin(context, channel, content), limit);
  if ("problem" in made) {
    throw new BelfryError("INVALID_STATE", `It has no preview: ${made.problem}.`);
  }
  return made;
}

async function previewWithin(context: DeliveryContext, channel: Channel, content: DeliveryContent) {
  const reached = await reachedBy(context, channel, content);
  const { clock, types } = context;
  const rendering = { clock, types, links: null, bundle: null, timeoutMs: channel.timeoutMs };
  const texts = content.notification.rendered === null ? content.notification : await textsFor(content, reached, rendering);
  return (await channel.preview?.(taskOf(content, reached, texts))) ?? { problem: "the channel gave none" };
}

/** Where its recipient is reached; as its sender named it, if nobody knows. */
async function reachedBy(context: DeliveryContext, channel: Channel, { delivery }: DeliveryContent): Promise<Reached> {
  const reached = await new Addresses(context).of(delivery, channel);
  return "address" in reached ? reached : { address: delivery.recipient, locale: context.locale, timeZone: null };
}
