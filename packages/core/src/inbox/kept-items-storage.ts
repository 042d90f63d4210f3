import type { Owner } from "../foundation/context.ts";
import type { ErasureStep, ExportStep, StepRange, SweepStep } from "../foundation/json.ts";
import type { InboxItem } from "./inbox-item.ts";

/** An item as an export shows it, deleted or not. */
export interface ExportedItem extends InboxItem {
  /** When it was deleted; null while it is active, archived or snoozed. */
  readonly deletedAt: Date | null;
}

/** The times that items have to have come before, to be swept. */
export interface SweptBefore {
  /** For items that are read, and for those that were archived, snoozed or deleted in their inbox. */
  readonly readBefore: Date;
  readonly unreadBefore: Date;
}

/** Which items a sweep of inboxes removes. */
export interface InboxRetention extends SweptBefore {
  /** The time of the sweep. */
  readonly at: Date;
  /** By the type of their notification, instead of the general times. */
  readonly types: Readonly<Record<string, SweptBefore>>;
}

/** How long items are kept, and what becomes of them when a user asks for theirs, or leaves. */
export interface KeptItemsStorage {
  /**
   * Removes an inbox for good, up to `limit` rows a call: the owner's name in fan-outs that are still to be written, all
   * items, deleted ones too, the read marks, and last the counts. A notification that nothing else refers to is removed
   * with its last item. After every step the counts match the items that are left. The next item after the end starts a
   * new inbox with another epoch. You may repeat a step; for an inbox that never had an item it does nothing.
   */
  erase(owner: Owner, limit: number): Promise<ErasureStep>;

  /** The inbox's items, oldest first, deleted ones too. Read marks show in the items' read times. */
  export(owner: Owner, range: StepRange): Promise<ExportStep<ExportedItem>>;

  /**
   * Looks at items of all inboxes of all tenants, those of older notifications first, and removes for good those that came before
   * their time in `kept`. The walk ends where items are too new. The item with the inbox's last number stays. A notification that nothing else refers to is removed with its last item. The counts
   * match the items that are left; a step that takes items out of an inbox's lists raises its `rev`, also for archived and snoozed ones.
   */
  sweep(kept: InboxRetention, range: StepRange): Promise<SweepStep>;

  /**
   * Where a deletion of everything read did not change each item, but noted up to which number all are deleted, it changes up to `limit` of
   * them, oldest first, as a deletion of each would have: nobody sees a difference. It removes no rows. No step follows once none is left.
   */
  settleRemoved(range: StepRange): Promise<SweepStep>;
}
