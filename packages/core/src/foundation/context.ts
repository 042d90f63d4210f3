import type { Clock } from "./clock.ts";
import type { Ids } from "./ids.ts";
import type { Logger } from "./logger.ts";

/** The part of a context that every domain has. */
export interface BaseContext {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  /**
   * Resolves once the storage can be used. Operations await it first, and count as in flight until they end:
   * `using _call = await context.ready()`.
   */
  ready(): Promise<Disposable>;
  /** Throws `SERVICE_STOPPED` where an operation is refused: for what cannot wait. */
  requireRunning(): void;
}

/** Tells the host's listeners of what was committed: `Events` maps each event's name to its payload. */
export interface Emits<Events> {
  emit(...event: NamedEvent<Events>): void;
}

/** An event with its name, as {@link Emits.emit} takes it. */
export type NamedEvent<Events> = { [Name in keyof Events]: [name: Name, event: Events[Name]] }[keyof Events];
