import {
  declaredType,
  type NotificationTypes,
  RENDERED,
  renderAgain,
  renderContents,
  rulesOfType,
  type StoredTexts,
  type TaskContents,
} from "../notifications/index.ts";
import type { TimeLimit } from "../work/timing.ts";
import type { Reached } from "./addresses.ts";
import type { DeliveryTask, TaskDigest } from "./channel.ts";
import type { DeliveryContext } from "./context.ts";
import type { ClaimedDelivery } from "./delivery-storage.ts";
import type { StoredBundle } from "./digest-storage.ts";
import { digestTexts, isShownAsDigest } from "./digest-texts.ts";

/** A delivery with what it delivers. */
export type DeliveryContent = Pick<ClaimedDelivery, "delivery" | "notification" | "roomId" | "meta">;

/** The texts of a task, and what else its type says over the channel. */
export interface TaskTexts extends StoredTexts {
  readonly contents?: TaskContents | null;
  readonly unsubscribeUrl?: string | null;
  readonly digest?: TaskDigest | null;
}

/** What a channel is to deliver for a claimed delivery. */
export function taskOf(
  { delivery, notification, roomId, meta }: DeliveryContent,
  { address, locale }: Reached,
  { title, message, url, contents = null, unsubscribeUrl = null, digest = null }: TaskTexts,
): DeliveryTask {
  return {
    id: delivery.id,
    notificationId: notification.id,
    tenant: delivery.tenant,
    recipient: delivery.recipient,
    address,
    locale,
    roomId,
    digest,
    group: notification.group,
    unread: null,
    type: notification.type,
    priority: notification.priority,
    title,
    message,
    data: digest === null ? meta : {},
    url,
    contents,
    unsubscribeUrl,
    actions: digest === null ? notification.actions : null,
    isFallback: delivery.isFallback,
    attempt: delivery.attempt,
    createdAt: notification.createdAt,
  };
}

/** The parts that texts are rendered with. */
interface RenderingContext extends Pick<TimeLimit, "clock" | "timeoutMs"> {
  readonly types: NotificationTypes;
  readonly links: DeliveryContext["unsubscribeLinks"];
  /** The digest that the delivery carries, or null. */
  readonly bundle: StoredBundle | null;
}

/** The texts in the recipient's language: what functions of the type make is made anew, with what the type says over the channel. */
export async function textsFor(
  { delivery, notification, meta: data }: DeliveryContent,
  { locale }: Reached,
  { clock, types, links, timeoutMs, bundle }: RenderingContext,
): Promise<TaskTexts> {
  const { type, rendered } = notification;
  const { channel, recipient, tenant } = delivery;
  const user = delivery.recipientKind === "user" ? { id: recipient, tenant } : null;
  const owner = { tenant, userId: recipient, channel };
  if (bundle !== null && isShownAsDigest(types, bundle)) {
    const cameBy = bundle.shown.map((member) => ({ topic: member.topic, group: member.notification.group }));
    const subject = { ...owner, types: bundle.types, plan: bundle.digest.plan, cameBy };
    const unsubscribeUrl = (await links?.linkForDigest(subject)) ?? null;
    return { ...(await digestTexts(bundle, { types, clock, locale, timeoutMs, unsubscribeUrl })), unsubscribeUrl };
  }
  const cameBy = [{ topic: delivery.topic, group: notification.group }];
  const unsubscribeUrl = user && links ? await links.linkFor({ ...owner, type, cameBy }) : null;
  const declared = declaredType({ types }, type, { declaredTypesOnly: false });
  const context = { clock, locale, timeoutMs };
  const texts = await renderAgain(context, { notification, declared, data });
  if (((rendered ?? 0) & RENDERED.contents) === 0) {
    return { ...texts, unsubscribeUrl };
  }
  const source = { data, locale, user, unsubscribeUrl };
  const made = await renderContents(context, { type, channel, declared: rulesOfType(declared, channel), source });
  const { title = texts.title, message = texts.message, url = texts.url, ...contents } = made;
  return { title, message, url, contents: Object.keys(contents).length === 0 ? null : contents, unsubscribeUrl };
}
