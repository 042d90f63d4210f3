import { decideFor, obeysChoices, type PreferencesReader } from "../decisions/index.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { FanOutChunk, FanOutTurn } from "../inbox/index.ts";
import {
  declaredType,
  groupsOf,
  INBOX_CHANNEL,
  type MemberGroup,
  type NotificationTypes,
  type TopicMember,
} from "../notifications/index.ts";
import { nextTurn } from "../work/timing.ts";
import type { OpenAudience, PartOfAudience, TopicsStorage, WrittenMembers } from "./topics-storage.ts";

/** The parts that finding the users of large audiences uses. */
export interface FindingContext extends Pick<BaseContext, "clock"> {
  readonly topics: TopicsStorage;
  readonly preferences: PreferencesReader;
  readonly types: NotificationTypes;
}

/** Whose turn it is, and whose items are told. */
export type StepTurn = Pick<FanOutTurn, "after" | "isWanted">;

/** What a step did for an audience of a tenant. */
export interface AudienceStepTaken {
  readonly tenant: string;
  /** The items that it wrote; null where it found users for the fan-out, or nobody. */
  readonly chunk: FanOutChunk | null;
}

/**
 * Takes the next step of a large audience: of the tenant whose turn it is. If its users get items alone, and all alike, the storage writes these
 * without telling their names. Otherwise it finds the next users, and hands them to the fan-out: nothing is held in memory but these users.
 * Returns null if no audience is open, or others are at work on it.
 */
export async function takeNextStep(context: FindingContext, { after, isWanted }: StepTurn): Promise<AudienceStepTaken | null> {
  const { topics, clock } = context;
  const at = new Date(clock.now());
  const audience = await topics.openAudience(at, after);
  if (audience === null) {
    return null;
  }
  const { notification } = audience;
  const nothing: AudienceStepTaken = { tenant: notification.tenant, chunk: null };
  if (audience.isOver) {
    await topics.moveOn(audience, { parts: [], last: null, place: audience.place });
    return nothing;
  }
  const written = isWrittenAtOnce(context, audience) ? await topics.writeMembers(audience, { at, isWanted }) : REFUSED;
  if (written.as === "written") {
    return { ...nothing, chunk: { ...written, notification: { ...notification, createdAt: at } } };
  }
  if (written.as === "refused") {
    await findNextPart(context, audience);
  }
  return written.as === "taken" ? null : nothing;
}

const REFUSED: WrittenMembers = { as: "refused" };

/** Whether its users get an item each and nothing else, whatever they chose, that changes nothing beside itself. */
function isWrittenAtOnce({ types }: Pick<FindingContext, "types">, { notification, hasDeliveries }: OpenAudience): boolean {
  const declared = declaredType({ types }, notification.type, { declaredTypesOnly: false });
  return !hasDeliveries && !obeysChoices(declared, INBOX_CHANNEL) && notification.group === null && notification.replaceKey === null;
}

/** Finds the next users, and hands them to the fan-out. */
async function findNextPart(context: FindingContext, audience: OpenAudience): Promise<void> {
  const { topics } = context;
  const { notification, source, after, place, hasDeliveries } = audience;
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
