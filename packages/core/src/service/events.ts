import { EventEmitter as Emitter } from "eventemitter3";
import type { DeliveryEvents } from "../delivery/index.ts";
import type { Emits, NamedEvent } from "../foundation/context.ts";
import type { HubChanges } from "../hub/index.ts";
import type { InboxEvents } from "../inbox/index.ts";
import type { CreationEvents } from "../notifications/index.ts";

/** The events of {@link NotificationService.on}, by name. All fire in the process that made the change, after commit. */
export interface NotificationEvents extends CreationEvents, InboxEvents, DeliveryEvents, HubChanges {}

/** A function that {@link NotificationService.on} calls. */
export type NotificationListener<Name extends keyof NotificationEvents> = (event: NotificationEvents[Name]) => void;

/** Passes what was committed on to the host's listeners, in the order they came. */
export class EventEmitter implements Emits<NotificationEvents> {
  readonly #emitter = new Emitter<Record<string, [event: unknown]>>();

  emit(...[name, event]: NamedEvent<NotificationEvents>): void {
    this.#emitter.emit(name, event);
  }

  /** Calls `listener` for every such event. Returns a function that takes it off. */
  on<Name extends keyof NotificationEvents>(name: Name, listener: NotificationListener<Name>): () => void {
    const added = listener as (event: unknown) => void;
    this.#emitter.on(name, added);
    return () => void this.#emitter.off(name, added);
  }
}
