import type { Frame } from "./frame.ts";
import type { Item, Position } from "./item.ts";

/** How many frames a tab keeps for those that join, or were asleep. */
const KEPT_FRAMES = 500;

/** The last frames, each with the position before it. */
export class FrameRing<Shown extends Item> {
  readonly #kept: { readonly before: Position; readonly frame: Frame<Shown> }[] = [];

  push(before: Position, frame: Frame<Shown>): void {
    this.#kept.push({ before, frame });
    if (this.#kept.length > KEPT_FRAMES) {
      this.#kept.shift();
    }
  }

  /** The frames after a position, and where they begin; null if they are not kept. @param now the position after all frames */
  after(position: Position, now: Position): { readonly before: Position; readonly frames: readonly Frame<Shown>[] } | null {
    if (reaches(position, now)) {
      return { before: now, frames: [] };
    }
    const index = this.#kept.findLastIndex(({ before }) => reaches(position, before));
    const first = this.#kept[index];
    return first === undefined ? null : { before: first.before, frames: this.#kept.slice(index).map(({ frame }) => frame) };
  }
}

/** Whether who is at a position was told everything up to another. */
export function reaches(position: Position, other: Position): boolean {
  return position.epoch === other.epoch && position.seq >= other.seq && position.rev >= other.rev;
}
