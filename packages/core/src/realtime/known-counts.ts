import { type CountsOfPlace, EMPTY_EPOCH, type InboxChange, type InboxPosition, type InboxSignal } from "../inbox/index.ts";
import type { Missed } from "./missed.ts";

/** The changes after which an inbox counts as before. */
const UNCOUNTED: readonly InboxChange[] = ["pinned", "unpinned", "updated"];

/**
 * The counts of an inbox as a feed learns of them: when it opens, with the signals of changes, and with what it reads. They hold until the
 * next change, since each new item adds one to all of them. So nobody has to read counts because something was told.
 */
export class KnownCounts {
  #counts: CountsOfPlace | null = null;

  /** Takes the counts that were read. */
  learn(counts: CountsOfPlace): void {
    this.#counts = counts;
  }

  /** Takes the counts of a signal, if it has some. */
  learnFrom({ counts, epoch, rev, lastSeq }: InboxSignal): void {
    if (counts !== undefined && rev !== undefined && lastSeq !== undefined) {
      this.#counts = { ...counts, lastSeq, epoch, rev };
    }
  }

  /** Takes the counts that were read with what was missed, if they are those after it. @param rev the last change that was told */
  learnAfter({ counts, position, isAll }: Missed, rev: number): void {
    if (isAll && counts.rev === (position.rev ?? rev)) {
      this.#counts = counts;
    }
  }

  /** Something changed, and nobody knows when. */
  forget(): void {
    this.#counts = null;
  }

  /** Notes a change: after most of them, the counts are those of its signal, or not known. */
  pass(change: InboxChange, { from, to }: { readonly from: number; readonly to: number }): void {
    if (this.#counts?.rev === from && UNCOUNTED.includes(change)) {
      this.#counts = { ...this.#counts, rev: to };
    }
  }

  /** The counts at a place; undefined if they are not known. */
  at({ seq, epoch, rev }: Required<InboxPosition>): CountsOfPlace | undefined {
    const known = this.#counts;
    if (known === null || known.rev !== rev || (known.epoch !== epoch && known.epoch !== EMPTY_EPOCH)) {
      return undefined;
    }
    const { total, unread, unseen, lastSeq } = known;
    const later = Math.max(seq - lastSeq, 0);
    return { total: total + later, unread: unread + later, unseen: unseen + later, lastSeq: lastSeq + later, epoch, rev };
  }
}
