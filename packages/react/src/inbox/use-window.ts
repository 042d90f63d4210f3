import { type RefObject, useEffect, useMemo, useRef, useState } from "react";
import type { Row } from "./rows.ts";
import { useMeasure } from "./use-measure.ts";

/** How far out of sight rows are in the document. */
const AROUND_PX = 400;
/** After so much scrolling, it is looked again which rows are in sight. */
const STEP_PX = 100;
/** The height of a row while none was measured. */
const ROW_PX = 80;

/** What {@link useWindow} takes. */
export interface WindowOptions {
  readonly scroller: RefObject<HTMLElement | null>;
  readonly rows: readonly Row[];
  /** A row that is in the document wherever it is, with those beside it; -1 for none. */
  readonly kept: number;
  /** Called when the reader has scrolled. */
  onScroll(): void;
}

/** The rows of a long list that are in the document. */
export interface Window {
  /** Their places in the list. */
  readonly shown: readonly number[];
  /** The distance of each row from the top of the list, and at the end the height of it all, in pixels. */
  readonly tops: readonly number[];
  /** Goes to the element whose children are the rows, each with its place as `data-row`. */
  readonly list: RefObject<HTMLDivElement | null>;
}

/** The heights that rows were measured to have, by the ids of their items. Others are taken to be like the first. */
class Heights {
  readonly #known = new Map<string, number>();
  #usual = 0;

  of({ item }: Row): number {
    return this.#known.get(item.id) ?? (this.#usual || ROW_PX);
  }

  /** Notes the height of a row, and tells by how much it differs from what it was taken for. */
  note(row: Row, height: number): number {
    const before = this.of(row);
    this.#known.set(row.item.id, height);
    this.#usual ||= height;
    return height - before;
  }
}

/**
 * Keeps only those rows in the document that are in sight, or near it, so that a list takes the same memory however long it is. Rows have
 * the heights that their contents give them. What is in sight stays where it is when rows above it turn out to be higher or lower.
 */
export function useWindow({ scroller, rows, kept, onScroll }: WindowOptions): Window {
  const list = useRef<HTMLDivElement>(null);
  const [measured, setMeasured] = useState(() => ({ heights: new Heights() }));
  const [top, setTop] = useState(0);
  const [size, setSize] = useState(0);
  // How far the reader is to be moved once the rows are where they belong.
  const owed = useRef(0);
  const tops = useMemo(() => {
    const sums = [0];
    for (const row of rows) {
      sums.push((sums.at(-1) ?? 0) + measured.heights.of(row));
    }
    return sums;
  }, [rows, measured]);

  const look = (box: HTMLElement) => {
    const { heights } = measured;
    let isChanged = false;
    for (const element of list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? []) {
      const index = Number(element.dataset.row);
      const row = rows[index];
      // What is not shown has no height.
      const more = row === undefined || element.offsetHeight === 0 ? 0 : heights.note(row, element.offsetHeight);
      isChanged ||= more !== 0;
      owed.current += (tops[index + 1] ?? 0) <= box.scrollTop ? more : 0;
    }
    if (isChanged) {
      setMeasured({ heights });
    }
    setTop(Math.floor(box.scrollTop / STEP_PX) * STEP_PX);
    setSize(box.clientHeight);
  };

  useMeasure(() => {
    const box = scroller.current;
    if (box !== null) {
      if (owed.current !== 0) {
        box.scrollTop += owed.current;
        owed.current = 0;
      }
      look(box);
    }
  });
  useEffect(() => {
    const box = scroller.current;
    if (box === null) {
      return;
    }
    const onMove = () => {
      look(box);
      onScroll();
    };
    const observer = new ResizeObserver(() => look(box));
    for (const element of [box, ...(list.current?.children ?? [])]) {
      observer.observe(element);
    }
    box.addEventListener("scroll", onMove, { passive: true });
    return () => {
      observer.disconnect();
      box.removeEventListener("scroll", onMove);
    };
  });

  const from = Math.max(0, placeOf(top - AROUND_PX, tops) - 1);
  const end = Math.min(rows.length, placeOf(top + size + AROUND_PX, tops));
  const near = kept < 0 ? [] : [kept - 1, kept, kept + 1].filter((index) => index >= 0 && index < rows.length);
  const inSight = Array.from({ length: Math.max(0, end - from) }, (_, index) => from + index);
  const shown = [...near.filter((index) => index < from), ...inSight, ...near.filter((index) => index >= Math.max(from, end))];
  return { shown, tops, list };
}

/** The place of the first of ascending numbers that is not below a value: a list of many rows is not looked through for each step. */
function placeOf(value: number, numbers: readonly number[]): number {
  let [low, high] = [0, numbers.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((numbers[middle] ?? 0) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
