import type { Issue } from "../foundation/errors.ts";
import { NAME_RULE, shown, textIssue } from "../foundation/parse-text.ts";

/** What stands between the segments of a topic. */
const TOPIC_SEPARATOR = "/";

/** An index holds a topic beside a tenant and a user: a longer one might not fit. */
const MAX_BYTES = 400;
const MAX_SEGMENTS = 16;

const encoder = new TextEncoder();

/** Checks the name of a topic: a path of segments, such as `post:7` or `post:7/replies`. */
export function topicIssue(topic: unknown, path: Issue["path"]): Issue | null {
  const issue = textIssue(topic, path, NAME_RULE);
  if (issue !== null) {
    return issue;
  }
  const name = topic as string;
  const segments = name.split(TOPIC_SEPARATOR);
  if (segments.includes("")) {
    const message = `must be a path such as "post:7/replies", without a slash at its ends or two in a row; is ${shown(name)}`;
    return { path, type: "value_error", message };
  }
  if (segments.length > MAX_SEGMENTS) {
    return { path, type: "too_long", message: `must have at most ${MAX_SEGMENTS} segments, has ${segments.length}` };
  }
  const bytes = encoder.encode(name).length;
  return bytes > MAX_BYTES
    ? { path, type: "string_too_long", message: `must have at most ${MAX_BYTES} bytes in UTF-8, has ${bytes}` }
    : null;
}

/** The topics that a topic lies below, the nearest first. */
export function topicsAbove(topic: string): readonly string[] {
  const segments = topic.split(TOPIC_SEPARATOR);
  return segments.slice(1).map((_, index) => segments.slice(0, segments.length - 1 - index).join(TOPIC_SEPARATOR));
}
