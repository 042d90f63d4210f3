import { decideFor, obeysChoices, type PreferencesReader } from "../decisions/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import {
  declaredType,
  groupsOf,
  INBOX_CHANNEL,
  type MemberGroup,
  type NotificationTypes,
  type TopicMember,
} from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { OpenAudience, PartOfAudience, TopicsStorage } from "./topics-storage.ts";

/** The parts that finding the users of large audiences uses. */
export interface FindingContext extends Pick<BaseContext, "clock"> {
  readonly topics: TopicsStorage;
  readonly preferences: PreferencesReader;
  readonly types: NotificationTypes;
}

/**
 * Finds the next users of the oldest large audience, and hands them to the fan-out. Nothing is held in memory but these users. Returns false if
 * no audience is open.
 */
export async function findNextPart(context: FindingContext): Promise<boolean> {
  const { topics, clock } = context;
  const audience = await topics.openAudience(new Date(clock.now()));
  if (audience === null) {
    return false;
  }
  const { notification, source, after, place, isOver, hasDeliveries } = audience;
  if (isOver) {
    await topics.moveOn(audience, { parts: [], last: null, place });
    return true;
  }
  const limit = hasDeliveries ? source.chunk : source.chunk * topics.partsOfStep;
  const { members, last } = await topics.findMembers(notification.tenant, source, { after, limit });
  const wanted = hasDeliveries ? members : await wantingItems(context, audience, members);
  const parts: PartOfAudience[] = [];
  let next = place;
  const groups = hasDeliveries ? groupsOf(wanted) : partsOfItems(wanted, source.chunk);
  for (const group of groups) {
    if (group.users.length > 0) {
      parts.push({ ...group, place: next });
      next += group.users.length;
    }
  }
  // A synchronous storage holds up others for each of both.
  await nextTurn();
  await topics.moveOn(audience, { parts, last, place: next });
  return true;
}

/** Parts of so many users at the most. Items are alike, whatever brings them. */
function partsOfItems(members: readonly TopicMember[], size: number): readonly MemberGroup[] {
  const users = members.map(({ userId }) => userId);
  const starts = Array.from({ length: Math.ceil(users.length / size) }, (_, index) => index * size);
  return starts.map((start) => ({ users: users.slice(start, start + size), topic: null, channels: null }));
}

/** Those of the members who get an item: where the type lets them, some have switched it off. */
export async function wantingItems(
  { preferences, types }: Pick<FindingContext, "preferences" | "types">,
  { notification }: Pick<OpenAudience, "notification">,
  members: readonly TopicMember[],
): Promise<readonly TopicMember[]> {
  const left = members.filter(({ channels }) => channels === null || channels.includes(INBOX_CHANNEL));
  const declared = declaredType({ types }, notification.type, { declaredTypesOnly: false });
  if (!obeysChoices(declared, INBOX_CHANNEL)) {
    return left;
  }
  const { tenant, group } = notification;
  const lookup = await preferences.of(
    tenant,
    left.map(({ userId }) => userId),
  );
  const facts = {
    ...{ now: notification.createdAt.getTime(), timeZone: null, address: null, isRead: null, isOnline: null },
    ...{ meetsCondition: null, isWithinThrottle: true },
  };
  return left.filter(({ userId, topic }) => {
    const subject = { notification, declared, channel: INBOX_CHANNEL, scheduledAt: null, topic, group };
    return decideFor(subject, { preferences: lookup(userId), facts }, "creation").reason !== "preference";
  });
}
