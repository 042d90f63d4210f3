/** The input of an event, pushed in by a source. */
export interface EventInput {
  /** The service it comes from: 1 to 255 characters. */
  readonly source: string;
  /** Who caused it there, by that service's own id: 1 to 255 characters. */
  readonly sender: string;
  /** At most 100,000 characters. */
  readonly content: string;
  /** What handlers' filters look at: at most 256 KiB as JSON. @default {} */
  readonly metadata?: object;
}

/** Who somebody is to one source. */
export interface IdentityInput {
  readonly source: string;
  /** Their id there: 1 to 255 characters. */
  readonly sourceId: string;
  /** 1 to 255 characters. */
  readonly name: string;
  /** If it is left out, the stored metadata stays. */
  readonly metadata?: object;
}

/** The input of a handler. */
export interface HandlerInput {
  readonly source: string;
  /** The instruction for the processor: 1 to 100,000 characters. */
  readonly prompt: string;
  /** Which events of the source: conditions on their metadata, see docs/guides/hub.md. @default {} every one */
  readonly filter?: object;
}

/** The changes to a handler. Members that are left out stay. */
export type HandlerChanges = Partial<HandlerInput>;

/** Which page of a list: `limit` is 1 to 100, 50 if left out; the newest come first. */
export interface HubListInput {
  readonly limit?: number;
  readonly offset?: number;
}
