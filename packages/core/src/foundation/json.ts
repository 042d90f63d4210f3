/** Any value JSON can carry. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object: what a notification carries as its `data`. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
