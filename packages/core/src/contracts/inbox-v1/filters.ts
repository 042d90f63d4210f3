import type { Owner } from "../../foundation/context.ts";
import type { InboxEvent } from "../../inbox/index.ts";

/** The lists that narrow the events of a socket, by their names on the wire. */
const NAMES = ["event_types", "entity_types", "entity_ids"] as const;
const MAX_VALUES = 100;
const MAX_LENGTH = 100;

/** The filters of a socket, as the client gave them. A list that is missing lets everything pass. */
export type Filters = { readonly [Name in (typeof NAMES)[number]]?: readonly string[] };

/** Returns whether the client wants an event of its inbox. */
export type Wants = (type: string, event: InboxEvent) => boolean;

/** Returns the filters in a socket's URL, each a list with commas, or null if there are none. An empty list counts as missing. */
export function filtersOfQuery(query: URLSearchParams): Filters | string | null {
  const given = NAMES.map((name) => [name, (query.get(name) ?? "").split(",").filter((value) => value !== "")] as const);
  const lists = given.filter(([, values]) => values.length > 0);
  return lists.length === 0 ? null : checkFilters(Object.fromEntries(lists));
}

/** Returns the filters in a `subscribe` message, or the reason why they are not valid. */
export function checkFilters(message: Readonly<Record<string, unknown>>): Filters | string {
  const given = NAMES.filter((name) => message[name] !== undefined);
  const wrong = given.find((name) => !isList(message[name]));
  if (wrong !== undefined || given.length === 0) {
    return `${wrong ?? NAMES.join(", ")} must be a list of at most ${MAX_VALUES} texts`;
  }
  return Object.fromEntries(given.map((name) => [name, message[name]])) as Filters;
}

function isList(value: unknown): boolean {
  return Array.isArray(value) && value.length <= MAX_VALUES && value.every((one) => typeof one === "string" && one.length <= MAX_LENGTH);
}

/** An event passes if its type, and one entity of it by type and id, are in the lists that are given. */
export function wantsOf({ event_types, entity_types, entity_ids }: Filters, owner: Owner): Wants {
  const types = event_types && new Set(event_types);
  const entityTypes = entity_types && new Set(entity_types);
  const entityIds = entity_ids && new Set(entity_ids);
  const isEntityWanted = ([type, id]: Entity) => (entityTypes?.has(type) ?? true) && (entityIds?.has(id) ?? true);
  const hasEntities = entityTypes !== undefined || entityIds !== undefined;
  return (type, event) => (types?.has(type) ?? true) && (!hasEntities || entitiesOf(event, owner).some(isEntityWanted));
}

type Entity = readonly [type: string, id: string];

/** Returns the item, or the user for a change of the whole inbox; the entity that the item's data names; and its room. */
function entitiesOf({ item }: InboxEvent, owner: Owner): readonly Entity[] {
  const { entity_type: type, entity_id: id, room_id: room } = item?.data ?? {};
  const named: readonly Entity[] =
    typeof type === "string" && (typeof id === "string" || typeof id === "number") ? [[type, String(id)]] : [];
  return [["notification", item?.id ?? owner.userId], ...named, ...(typeof room === "string" ? [["room", room] as const] : [])];
}
