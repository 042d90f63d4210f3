import type { StandardSchemaV1 } from "@standard-schema/spec";
import { BelfryError, type Issue, validationError } from "../foundation/errors.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { describe, MESSAGE_RULE, NAME_RULE, type TextRule, TITLE_RULE, textIssue } from "../foundation/parse-text.ts";
import type { NewNotification } from "../inbox/inbox-storage.ts";
import type { UntypedCreateInput } from "../notifications/create-input.ts";
import { DEFAULT_TYPE, type NotificationKind } from "../notifications/notification.ts";
import type { NotificationType } from "../notifications/notification-types.ts";
import { parseRecipients } from "../notifications/recipients.ts";
import type { Context } from "../service/context.ts";

/** What a creator outside of `create` decides beside the input. */
export interface CreateRules {
  readonly kind: NotificationKind;
  /** Whether a type that the host did not declare is refused. Contracts accept it: their senders know no types. */
  readonly declaredTypesOnly: boolean;
}

/** Checks the input of a create and makes the entry to be written, its id and time included. */
export async function parseCreate(
  context: Pick<Context, "clock" | "ids" | "types">,
  { tenant, input, rules }: { tenant: string; input: UntypedCreateInput; rules: CreateRules },
): Promise<NewNotification> {
  if (typeof input !== "object" || input === null) {
    throw validationError([{ path: [], type: "dict_type", message: `expected an object like { to, title }, got ${describe(input)}` }]);
  }
  const type = input.type ?? DEFAULT_TYPE;
  const issues = textIssues(input, type);
  const to = parseRecipients(input.to);
  issues.push(...("issues" in to ? to.issues : []));
  if (issues.length > 0 || "issues" in to) {
    const parsed = parseJsonObject(input.data ?? {}, ["data"]);
    throw validationError([...issues, ...("issues" in parsed ? parsed.issues : [])]);
  }
  const data = await parseData(input.data, declaredType(context, type, rules));
  const notification = {
    id: context.ids.next(),
    tenant,
    kind: rules.kind,
    type,
    title: input.title ?? "",
    message: input.message ?? "",
    data,
    source: input.source ?? null,
    sender: input.sender ?? null,
    createdAt: new Date(context.clock.now()),
  };
  return { notification, recipients: to.recipients };
}

function textIssues(input: UntypedCreateInput, type: string): Issue[] {
  const rules: readonly [string, unknown, TextRule][] = [
    ["type", type, NAME_RULE],
    ["title", input.title ?? "", TITLE_RULE],
    ["message", input.message ?? "", MESSAGE_RULE],
    ["source", input.source ?? "-", NAME_RULE],
    ["sender", input.sender ?? "-", NAME_RULE],
  ];
  return rules.map(([field, value, rule]) => textIssue(value, [field], rule)).filter((issue) => issue !== null);
}

/** The host's declaration of `type`; throws `UNKNOWN_TYPE` for one it did not declare, where that matters. */
export function declaredType(
  context: Pick<Context, "types">,
  type: string,
  rules: Pick<CreateRules, "declaredTypesOnly">,
): NotificationType | undefined {
  if (Object.hasOwn(context.types, type)) {
    return context.types[type];
  }
  const declared = Object.keys(context.types);
  if (rules.declaredTypesOnly && declared.length > 0) {
    throw new BelfryError(
      "UNKNOWN_TYPE",
      `The notification type "${type}"${type === DEFAULT_TYPE ? ", which stands for none being given," : ""} is not declared; the declared types are ${declared.join(", ")}.`,
    );
  }
  return undefined;
}

/** Checks `data` against the type's schema, if it has one, and returns what is to be stored: its JSON form. */
export async function parseData(data: object | undefined, type: NotificationType | undefined): Promise<JsonObject> {
  const result = type?.data ? await validated(data, type.data) : { value: data ?? {} };
  if (result.issues) {
    throw validationError(
      result.issues.map((issue) => ({
        path: ["data", ...(issue.path ?? []).map((part) => pathPart(typeof part === "object" ? part.key : part))],
        type: "value_error",
        message: issue.message,
      })),
    );
  }
  // A caller may pass, and a schema make, what JSON has no form for.
  const stored = parseJsonObject(result.value, ["data"]);
  if ("issues" in stored) {
    throw validationError(stored.issues);
  }
  return stored.value;
}

/** Data that was left out is what the schema makes of nothing, and an empty object where it does not take nothing. */
async function validated(data: object | undefined, { "~standard": schema }: StandardSchemaV1): Promise<StandardSchemaV1.Result<unknown>> {
  if (data !== undefined && data !== null) {
    return schema.validate(data);
  }
  const result = await schema.validate(undefined);
  return result.issues ? schema.validate({}) : { value: result.value ?? {} };
}

function pathPart(key: PropertyKey): string | number {
  return typeof key === "number" ? key : String(key);
}
