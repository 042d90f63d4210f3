import type { Change } from "./change.ts";
import type { Item } from "./item.ts";
import type { ClientError } from "./result.ts";

/** What a client tells besides its snapshots. */
export interface ClientEvents<Shown extends Item = Item> {
  /** A new item came while the client followed the inbox. */
  readonly received: Shown;
  /** The connection is back after a gap. `complete` is false if the inbox had to be listed anew. */
  readonly recovered: { readonly complete: boolean };
  /** The server refused a change, and it was taken back. */
  readonly failed: { readonly change: Change; readonly error: ClientError };
}

/** Tells the listeners of an event. */
export type Emit<Shown extends Item> = <Name extends keyof ClientEvents>(name: Name, event: ClientEvents<Shown>[Name]) => void;
