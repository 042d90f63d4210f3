import { copied } from "../foundation/copied.ts";
import type { JsonObject } from "../foundation/json.ts";
import { parseJsonObject } from "../foundation/parse-json.ts";
import { isPlain } from "../foundation/parse-text.ts";
import {
  CREATE_MEMBERS,
  DEFAULT_TYPE,
  type NotificationType,
  type NotificationTypes,
  parseData,
  type UntypedCreateInput,
} from "../notifications/index.ts";

/** A request of a call that waits for others before all of its input is read. */
interface CalledRequest {
  readonly input: UntypedCreateInput;
  readonly data?: Promise<JsonObject>;
}

/**
 * The request as its call said it: whoever waits for others before all of its input is read goes by this, whatever the caller does with the
 * objects meanwhile. Its data are read at once, by the type's schema where it has one, so that an object of a class counts as it was, too.
 */
export function asCalled<Request extends CalledRequest>({ types }: { readonly types: NotificationTypes }, request: Request): Request {
  const { input } = request;
  if (typeof input !== "object" || input === null) {
    return request;
  }
  const { data, ...others } = membersOf(input);
  const kept = { ...request, input: data === undefined ? copied(others) : { ...copied(others), data: asJson(data) } };
  if (request.data !== undefined) {
    return kept;
  }
  const { type = DEFAULT_TYPE } = input;
  const declared = typeof type === "string" && Object.hasOwn(types, type) ? types[type] : undefined;
  return declared?.data === undefined ? kept : { ...kept, data: read(data, declared) };
}

/** An input with its members as its own, also those that an object of a class inherits. One without own members is refused later. */
export function membersOf(input: UntypedCreateInput): UntypedCreateInput {
  if (isPlain(input) || Object.keys(input).length === 0) {
    return input;
  }
  const inherited = Object.keys(CREATE_MEMBERS).filter((name) => name in input);
  return { ...Object.fromEntries(inherited.map((name) => [name, input[name as keyof UntypedCreateInput]])), ...input };
}

/** What JSON makes of the data of a call. What it has no form for is refused later, with all that is wrong. */
function asJson(data: JsonObject): JsonObject {
  const parsed = parseJsonObject(data, ["data"]);
  return "value" in parsed ? parsed.value : copied(data);
}

/** What the schema of a type makes of the data of a call. */
function read(data: JsonObject | undefined, declared: NotificationType): Promise<JsonObject> {
  const reading = (async () => await parseData(data, declared))();
  // Something else may be found wrong before it is awaited.
  reading.catch(() => {});
  return reading;
}
