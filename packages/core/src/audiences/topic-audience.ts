import { compareBytewise } from "../foundation/compare-bytewise.ts";
import type { BaseContext } from "../foundation/context.ts";
import type { Issue } from "../foundation/errors.ts";
import { requireNone, validationError } from "../foundation/issue-list.ts";
import { describeList, NAME_RULE, textIssue } from "../foundation/parse-text.ts";
import {
  isRequired,
  MAX_AT_ONCE,
  type NotificationType,
  parseExcept,
  type TopicAudience,
  type TopicPart,
  type TopicSource,
  topicIssue,
  topicsAbove,
  type UntypedCreateInput,
} from "../notifications/index.ts";
import type { TopicsStorage } from "./topics-storage.ts";

const MAX_TOPICS = 20;

/** What a notification for topics is. */
export interface ForTopics {
  readonly tenant: string;
  readonly input: Pick<UntypedCreateInput, "topic" | "to" | "except">;
  readonly declared: NotificationType | undefined;
  /** Its channels for users. */
  readonly channels: readonly string[];
  /** How many users a step of a large audience takes. */
  readonly chunk: number;
  /** Whether it was created before, so that nobody is to be looked up. */
  readonly isRepeated: boolean;
}

/** Reads the topics of an input, and finds their subscribers unless they are more than one call writes. @throws BelfryError `VALIDATION_ERROR` */
export async function topicAudience(
  { topics: storage, ready }: Pick<BaseContext, "ready"> & { readonly topics: TopicsStorage },
  { tenant, input, declared, channels, chunk, isRepeated }: ForTopics,
): Promise<TopicAudience> {
  const topics = parseTopics(input.topic);
  const except = parseExcept(input.except);
  requireFew("except", except.size);
  const source: TopicSource = {
    parts: partsOf(topics),
    users: namedUsers(input.to).filter((userId) => !except.has(userId)),
    except: [...except],
    required: declared === undefined ? [] : channels.filter((channel) => isRequired(declared, channel)),
    channels,
    chunk,
  };
  if (isRepeated) {
    // Nothing of it is written, unless the key expires meanwhile: then they are found in the background.
    return { topics, source, members: null };
  }
  using _call = await ready();
  // Of a large topic, nothing but its size is read.
  if (await storage.hasMoreThan({ tenant, topic: topics[0] as string }, MAX_AT_ONCE)) {
    return { topics, source, members: null };
  }
  const { members, last } = await storage.findMembers(tenant, source, { after: null, limit: MAX_AT_ONCE });
  return { topics, source, members: last === null ? members : null };
}

function parseTopics(given: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  if (list.length === 0 || list.length > MAX_TOPICS) {
    const message = `must be a topic, or a list of 1 to ${MAX_TOPICS}; ${list.length === 0 ? `is ${describeList(given)}` : `names ${list.length}`}`;
    throw validationError([{ path: ["topic"], type: list.length === 0 ? "too_short" : "too_long", message }]);
  }
  const pathOf = (index: number): Issue["path"] => (Array.isArray(given) ? ["topic", index] : ["topic"]);
  requireNone(list.map((topic, index) => topicIssue(topic, pathOf(index))));
  return [...new Set(list as readonly string[])].sort(compareBytewise);
}

/** The users of `to`, sorted bytewise. Addresses are left to others. */
function namedUsers(to: UntypedCreateInput["to"]): readonly string[] {
  const list: readonly unknown[] = Array.isArray(to) ? to : to === undefined ? [] : [to];
  requireFew("to", list.length);
  const users = list.flatMap((one, index) => (typeof one === "object" && one !== null ? [] : [[one, index] as const]));
  requireNone(users.map(([userId, index]) => textIssue(userId, Array.isArray(to) ? ["to", index] : ["to"], NAME_RULE)));
  return [...new Set(users.map(([userId]) => userId as string))].sort(compareBytewise);
}

function requireFew(name: "to" | "except", length: number): void {
  if (length > MAX_AT_ONCE) {
    const message = `must name at most ${MAX_AT_ONCE} beside a topic, names ${length}; subscribe them, or create without the topic`;
    throw validationError([{ path: [name], type: "too_long", message }]);
  }
}

/** The subscriptions that count for topics: those of each, and the deep ones of the topics above it. */
function partsOf(topics: readonly string[]): readonly TopicPart[] {
  const parts = new Map<string, TopicPart>();
  for (const topic of topics) {
    parts.set(topic, { topic, isDeepOnly: false, mutedBy: [topic] });
  }
  for (const topic of topics) {
    for (const above of topicsAbove(topic)) {
      if (!parts.has(above)) {
        parts.set(above, { topic: above, isDeepOnly: true, mutedBy: [above, topic] });
      }
    }
  }
  return [...parts.values()];
}
