import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Clock } from "../foundation/clock.ts";
import { copied } from "../foundation/copied.ts";
import { BelfryError, type Issue } from "../foundation/errors.ts";
import { IssueList, type MembersOf, requireMembers, requireNone, strangerIn } from "../foundation/issue-list.ts";
import type { JsonObject } from "../foundation/json.ts";
import { andThen, type MaybePromise } from "../foundation/maybe-promise.ts";
import { requireJsonObject } from "../foundation/parse-json.ts";
import {
  describe,
  GROUP_RULE,
  linkIssue,
  NAME_RULE,
  optionalTextIssue,
  shown,
  type TextRule,
  textIssue,
  urlIssue,
} from "../foundation/parse-text.ts";
import { parsedTime, timeIssue } from "../foundation/parse-time.ts";
import { CREATE_MEMBERS, EVERYONE, type UntypedCreateInput } from "./create-input.ts";
import { DEFAULT_TYPE, NOTIFICATION_DEFAULTS, type Notification, type NotificationAction } from "./notification.ts";
import type { NotificationType, NotificationTypes } from "./notification-types.ts";

/** The fields of a notification that are checked alike, whether it goes to inboxes alone or has deliveries. */
export type SharedFields = Pick<
  Notification,
  "type" | "priority" | "source" | "actor" | "url" | "actions" | "expiresAt" | "group" | "replaceKey"
>;

// Every create checks these: the paths are made once.
const PATHS = { type: ["type"], source: ["source"], actor: ["actor"], roomId: ["roomId"], group: ["group"], replace: ["replace"] };
const PRIORITIES: readonly unknown[] = ["low", "normal", "high", "urgent"] satisfies readonly Notification["priority"][];

/** What only a broadcast can be. */
function standingIssue({ standing, to }: UntypedCreateInput): Issue | null {
  const message = `can be given with to: "${EVERYONE}" alone`;
  return standing === undefined || to === EVERYONE ? null : { path: ["standing"], type: "conflict", message };
}

/** Checks the members of the input of `create`, those fields, the room and the channels, and gives what is left out its default. */
export function parseFields(
  input: UntypedCreateInput,
  clock: Pick<Clock, "now">,
): { readonly fields: SharedFields; readonly issues: IssueList } {
  requireMembers("create", input, CREATE_MEMBERS);
  const { type = DEFAULT_TYPE, priority = NOTIFICATION_DEFAULTS.priority, source = null, actor = null, url = null } = input;
  const issues = new IssueList();
  issues.add(standingIssue(input));
  issues.add(textIssue(type, PATHS.type, NAME_RULE));
  issues.add(optionalTextIssue(source, PATHS.source, NAME_RULE));
  issues.add(optionalTextIssue(actor, PATHS.actor, NAME_RULE));
  issues.add(optionalTextIssue(input.roomId, PATHS.roomId, NAME_RULE));
  issues.add(url === null ? null : urlIssue(url, ["url"]));
  const { group = null, replace: replaceKey = null } = input;
  issues.add(optionalTextIssue(group, PATHS.group, GROUP_RULE));
  issues.add(optionalTextIssue(replaceKey, PATHS.replace, GROUP_RULE));
  const actions = parseActions(input.actions, issues);
  if (!PRIORITIES.includes(priority)) {
    const got = typeof priority === "string" ? JSON.stringify(priority) : describe(priority);
    issues.add({ path: ["priority"], type: "enum", message: `must be "low", "normal", "high" or "urgent", got ${got}` });
  }
  issues.add((input.channels ?? null) === null ? null : channelsIssue(input.channels));
  const { expiresAt } = input;
  if ((expiresAt ?? null) === null) {
    return { fields: { type, priority, source, actor, url, actions, expiresAt: null, group, replaceKey }, issues };
  }
  issues.add(timeIssue(expiresAt, "expiresAt") ?? pastIssue(expiresAt as Date | string, clock.now()));
  return { fields: { type, priority, source, actor, url, actions, expiresAt: parsedTime(expiresAt), group, replaceKey }, issues };
}

function channelsIssue(names: unknown): Issue | null {
  if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string")) {
    return { path: ["channels"], type: "list_type", message: "must be a list of at least one channel's name" };
  }
  const twice = names.find((name, index) => names.indexOf(name) < index);
  return twice === undefined ? null : { path: ["channels"], type: "value_error", message: `names ${shown(twice)} twice` };
}

function pastIssue(expiresAt: Date | string, now: number): Issue | null {
  const at = new Date(expiresAt);
  const message = () => `must be a time to come, is ${at.toISOString()}, and it is ${new Date(now).toISOString()}; nobody would get it`;
  return at.getTime() > now ? null : { path: ["expiresAt"], type: "value_error", message: message() };
}

const LABEL_RULE: TextRule = { minLength: 1, maxLength: 100 };
const MAX_ACTIONS = 5;
const ACTION: MembersOf<NotificationAction> = { label: true, url: true };

/** The actions to store: null for none. What is wrong with them is added to `issues`. */
function parseActions(given: unknown, issues: IssueList): Notification["actions"] {
  if (given === undefined || given === null) {
    return null;
  }
  if (!Array.isArray(given) || given.length > MAX_ACTIONS) {
    const message = `must be a list of at most ${MAX_ACTIONS} actions, { label, url } each`;
    issues.add({ path: ["actions"], type: "list_type", message });
    return null;
  }
  const actions = given.map((action: unknown, at): NotificationAction => {
    const stranger = strangerIn("an action", action, ACTION);
    if (stranger !== null) {
      issues.add({ path: ["actions", at], type: "unexpected", message: stranger });
      return { label: "", url: "" };
    }
    const { label, url } = action as NotificationAction;
    issues.add(textIssue(label, ["actions", at, "label"], LABEL_RULE));
    issues.add(urlIssue(url, ["actions", at, "url"]));
    return { label, url };
  });
  return actions.length === 0 ? null : actions;
}

/** Returns the host's declaration of `type`. Throws `UNKNOWN_TYPE` for an undeclared type when declared types are required. */
export function declaredType(
  { types }: { readonly types: NotificationTypes },
  type: string,
  rules: { readonly declaredTypesOnly: boolean },
): NotificationType | undefined {
  if (Object.hasOwn(types, type)) {
    return types[type];
  }
  const declared = rules.declaredTypesOnly ? Object.keys(types) : [];
  if (declared.length > 0) {
    throw new BelfryError(
      "UNKNOWN_TYPE",
      `The notification type "${type}"${type === DEFAULT_TYPE ? ", which stands for none being given," : ""} is not declared; the declared types are ${declared.join(", ")}.`,
    );
  }
  return undefined;
}

/** Checks `data` against the type's schema, if it has one, and returns the JSON form to store: at once unless the schema takes its time. */
export function parseData(data: object | undefined, type: NotificationType | undefined): MaybePromise<JsonObject> {
  return type?.data ? andThen(validated(data, type.data), storedData) : storedData({ value: data ?? {} });
}

function storedData(result: Result): JsonObject {
  if (result.issues) {
    const issues = new IssueList();
    for (const { path = [], message } of result.issues) {
      const keys = () => path.map((part) => pathPart(typeof part === "object" ? part.key : part));
      issues.add(() => ({ path: ["data", ...keys()], type: "value_error", message }));
    }
    throw issues.error();
  }
  // A caller may pass, or a schema may produce, a value that has no JSON form.
  const stored = requireJsonObject(result.value, ["data"]);
  // Written out, because every create asks.
  if ("url" in stored || "action_url" in stored || "actionUrl" in stored) {
    requireNone(linkIssues(stored, ["data"]));
  }
  return stored;
}

/** The members of a notification's data that clients show as links. */
const LINKS = ["url", "action_url", "actionUrl"];

/** Checks the links in a notification's data: a client that shows them must not run `javascript:`. */
export function linkIssues(data: JsonObject, path: Issue["path"]): readonly Issue[] {
  return LINKS.flatMap((name) => {
    const value = Object.hasOwn(data, name) ? data[name] : undefined;
    return typeof value === "string" ? (linkIssue(value, [...path, name]) ?? []) : [];
  });
}

type Result = StandardSchemaV1.Result<unknown>;

/**
 * Validates the data. For missing data the schema gets undefined, and an empty object if it refuses undefined. It gets a copy, as it may look
 * at them later than the caller changes them.
 */
function validated(data: object | undefined, { "~standard": schema }: StandardSchemaV1): MaybePromise<Result> {
  if (data !== undefined && data !== null) {
    return schema.validate(copied(data));
  }
  return andThen(schema.validate(undefined), (result): MaybePromise<Result> => {
    return result.issues ? schema.validate({}) : { value: result.value ?? {} };
  });
}

function pathPart(key: PropertyKey): string | number {
  return typeof key === "number" ? key : String(key);
}
