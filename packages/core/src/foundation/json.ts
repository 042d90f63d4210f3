/** Any value JSON can carry. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object, such as a notification's `data`. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
