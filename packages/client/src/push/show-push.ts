import { type PushLook, PushMemory } from "./kept-device.ts";
import { type ReceivedPush, receivedPush } from "./received-push.ts";
import { shownData } from "./shown-data.ts";
import type { PushEventLike, PushWorkerScope, ShownOptions } from "./worker-scope.ts";

/** What the browser shows of a push. */
export interface ShownPush {
  readonly title: string;
  /** Whatever is left out is as usual. */
  readonly options?: ShownOptions;
}

/** The options of `showPushes`. */
export interface ShowPushesOptions {
  /** Says what is shown of a push. @default its title and message, with what the client's option `push` has for the icon and the badge */
  readonly show?: (push: ReceivedPush) => ShownPush;
  /** What becomes of a push that is none of Belfry's: `ignore` is for hosts that send others, and show these themselves. @default "show" */
  readonly others?: "show" | "ignore";
}

const PLAIN_TITLE = "New notification";

/** Shows a push. Browsers want something to be shown of each, so one that cannot be read has a plain notification. */
export async function showPush(scope: PushWorkerScope, data: PushEventLike["data"], options: ShowPushesOptions): Promise<void> {
  const push = receivedPush(data?.text());
  const look = await lookOf(scope);
  const { plainTitle = PLAIN_TITLE } = look;
  if (push === null) {
    await (options.others === "ignore" ? undefined : scope.registration.showNotification(plainTitle, lookOptions(look)));
    return;
  }
  const usual = await usualOptions(scope, push, look);
  const shown = shownBy(options, push);
  try {
    await scope.registration.showNotification((shown?.title ?? push.title) || plainTitle, {
      ...usual,
      ...shown?.options,
      data: usual.data,
    });
  } catch {
    // The browser does not take what the host made of it.
    await scope.registration.showNotification(push.title || plainTitle, usual);
  }
  if (push.unread !== null) {
    await scope.navigator.setAppBadge?.(push.unread);
  }
}

/** What the client was told of icons and titles; nothing where none has registered. */
async function lookOf({ registration }: PushWorkerScope): Promise<PushLook> {
  try {
    return (await new PushMemory(registration.scope).device())?.options ?? {};
  } catch {
    // The browser's memory is full, or closed to this site: the push is shown without.
    return {};
  }
}

function lookOptions({ icon, badge }: PushLook): ShownOptions {
  return { ...(icon === undefined ? {} : { icon }), ...(badge === undefined ? {} : { badge }) };
}

async function usualOptions({ registration }: PushWorkerScope, push: ReceivedPush, look: PushLook): Promise<ShownOptions> {
  const { id, message, group, actions, priority, locale } = push;
  const tag = `belfry:${group ?? id}`;
  const before = await registration.getNotifications({ tag });
  const isRepeated = before.some((one) => shownData(one.data)?.id === id);
  const isSilent = priority === "low";
  return {
    ...lookOptions(look),
    ...{ body: message, tag, dir: "auto", ...(locale === null ? {} : { lang: locale }) },
    // A push that comes twice is shown once, and heard once.
    renotify: before.length > 0 && !isRepeated && !isSilent,
    silent: isSilent,
    requireInteraction: priority === "urgent",
    actions: actions.map(({ label }, index) => ({ action: String(index), title: label })),
    data: { belfry: { id, url: push.url, links: actions.map(({ url }) => url), isDigest: push.digest !== null } },
  };
}

/** What the host shows; undefined where it says nothing, or fails. */
function shownBy({ show }: ShowPushesOptions, push: ReceivedPush): ShownPush | undefined {
  try {
    return show?.(push);
  } catch (thrown) {
    // A push has to be shown, whatever the host's function makes of it. Its error is told as one that nobody caught.
    reportError(thrown);
    return undefined;
  }
}
