/** The subscriptions of one topic, as far as they are part of an audience. */
export interface TopicPart {
  readonly topic: string;
  /** Whether only deep subscriptions count: the notification is for a topic below this one. */
  readonly isDeepOnly: boolean;
  /** The topics whose mute ends it for a user: this one, and the one that the notification is for. */
  readonly mutedBy: readonly string[];
}

/** Where the users of an audience with topics are found. It is kept as JSON where they are many. */
export interface TopicSource {
  readonly parts: readonly TopicPart[];
  /** The users who are named, sorted bytewise: a mute or the channels of a subscription do not count for them. */
  readonly users: readonly string[];
  /** The users who do not get it after all. */
  readonly except: readonly string[];
  /** Those of the notification's channels over which users get it who muted it. */
  readonly required: readonly string[];
  /** The notification's channels for users. */
  readonly channels: readonly string[];
  /** How many users a step takes. */
  readonly chunk: number;
}

/** A user of an audience with topics. */
export interface TopicMember {
  readonly userId: string;
  /** The topic of the subscription that brings it; null for a user who is named. */
  readonly topic: string | null;
  /** The channels that are left for this user; null for all of the notification's. */
  readonly channels: readonly string[] | null;
}

/** An audience with topics. */
export interface TopicAudience {
  /** The topics that were named, sorted bytewise. */
  readonly topics: readonly string[];
  readonly source: TopicSource;
  /** Its users, sorted bytewise; null for more than one call writes: they are found in the background. */
  readonly members: readonly TopicMember[] | null;
}

/** What is kept of an audience with topics, beside its notification. */
export interface NewAudience {
  readonly topics: readonly string[];
  /** The {@link TopicSource} as JSON, from which users are still to be found; null where all were. */
  readonly source: string | null;
  /** How many recipients were written before those users. */
  readonly place: number;
  readonly hasDeliveries: boolean;
}

/** What is kept of an audience. `place` recipients are written already. */
export function newAudience(
  { topics, source, members }: TopicAudience,
  { place, hasDeliveries }: Pick<NewAudience, "place" | "hasDeliveries">,
): NewAudience {
  return { topics, source: members === null ? JSON.stringify(source) : null, place, hasDeliveries };
}

/** Members who get it alike, in their order. */
export interface MemberGroup extends Omit<TopicMember, "userId"> {
  readonly users: readonly string[];
}

/** Puts members together who come by one topic and have the same channels. */
export function groupsOf(members: readonly TopicMember[]): readonly MemberGroup[] {
  const groups = Map.groupBy(members, ({ topic, channels }) => JSON.stringify([topic, channels]));
  return [...groups.values()].map((alike) => {
    const [{ topic, channels }] = alike as [TopicMember];
    return { topic, channels, users: alike.map(({ userId }) => userId) };
  });
}
